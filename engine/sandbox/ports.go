package sandbox

import (
	"net/url"
	"os"
	"slices"
	"strconv"
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

// PortsOfStack are those of the texts that are URLs, but for the one where a
// cloud gives its machines credentials.
func PortsOfStack(texts []string) []int {
	return slices.DeleteFunc(portsOf(texts), func(port int) bool { return port == metadataPort })
}

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
