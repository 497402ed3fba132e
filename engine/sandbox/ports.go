package sandbox

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The default ports of what Terraform and Ansible speak.
var defaultPorts = map[string]int{"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379, "rediss": 6379, "ssh": 22}

// metadataPort is where clouds answer a machine with credentials. Walls are about
// ports and not about addresses, so a stack alone does not open it.
const metadataPort = 80

// Ports are those of the URLs that an operator names: of the API, and of the
// proxies in our environment.
func Ports(urls ...string) []int {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		urls = append(urls, os.Getenv(name))
	}
	return portsOf(urls)
}

// PortsOf are those of a stack's texts that are URLs, but for the one where a
// cloud gives its machines credentials, and those of the server's own services.
func (b *Box) PortsOf(texts []string) []int {
	return slices.DeleteFunc(portsOf(texts), func(port int) bool { return port == metadataPort || slices.Contains(b.policy.Shut, port) })
}

// ServerPorts are those of the addresses of a database and of Redis, which may
// name several hosts. Sentinels lead on to a Redis of which they alone know where.
func ServerPorts(urls ...string) (ports []int) {
	for _, text := range urls {
		scheme, _, _ := strings.Cut(text, "://")
		named := portsNamed.FindAllStringSubmatch(text, -1)
		for _, found := range named {
			if port, err := strconv.Atoi(found[1]); err == nil {
				ports = append(ports, port)
			}
		}
		if len(named) == 0 || scheme == "redis-sentinel" {
			scheme, _, _ = strings.Cut(scheme, "-")
			ports = append(ports, portsOf([]string{scheme + "://host"})...)
		}
	}
	return ports
}

var portsNamed = regexp.MustCompile(`:(\d{1,5})(?:[,/?&]|$)`)

func portsOf(texts []string) (ports []int) {
	for _, text := range texts {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			continue
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			port = defaultPorts[u.Scheme]
		}
		if port > 0 && port < 1<<16 {
			ports = append(ports, port)
		}
	}
	return ports
}
