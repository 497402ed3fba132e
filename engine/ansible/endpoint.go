package ansible

import (
	"encoding/json"
	"net"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// endpoint is what must answer before a host can be configured.
type endpoint struct {
	host     string
	address  string   // with port
	keys     []string // SSH host keys that the inventory gives
	protocol protocol
}

// protocol is how an endpoint shows that it is ready.
type protocol string

const (
	anything  protocol = "" // it takes a connection
	speaksSSH protocol = "ssh"
	httpWinRM protocol = "http"
	tlsWinRM  protocol = "https"
)

// endpoints lists where the hosts of the inventory are reached, each once: at
// the connection's own port, or at another that is asked for. A host that is
// this machine itself has none.
func endpoints(inv engine.Inventory, other int) []endpoint {
	seen := map[string]bool{}
	var all []endpoint
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			if seen[h.Name] || local(h, g) {
				continue
			}
			seen[h.Name] = true
			all = append(all, newEndpoint(h, g, other))
		}
	}
	return all
}

func newEndpoint(h engine.Host, g engine.Group, other int) endpoint {
	e := endpoint{host: h.Name, keys: h.HostKeys, protocol: protocolOf(h, g)}
	at := port(h, g)
	if other != 0 && other != at {
		at, e.protocol = other, anything
	}
	name := h.Address
	if name == "" {
		name = h.Name
	}
	e.address = net.JoinHostPort(name, strconv.Itoa(at))
	return e
}

// known is how SSH calls the endpoint among known hosts.
func (e endpoint) known() string {
	host, port, err := net.SplitHostPort(strings.ToLower(e.address))
	if err != nil || port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// The ports of connections where nobody says another.
const (
	sshPort   = 22
	httpPort  = 5985
	httpsPort = 5986
)

// port is where Ansible connects to the host.
func port(h engine.Host, g engine.Group) int {
	switch {
	case h.Port != 0:
		return h.Port
	case !windows(connection(h, g)):
		return sshPort
	case scheme(h, g) == "http":
		return httpPort
	default:
		return httpsPort
	}
}

func protocolOf(h engine.Host, g engine.Group) protocol {
	switch how := connection(h, g); {
	case how == "ssh":
		return speaksSSH
	case !windows(how):
		return anything
	case scheme(h, g) == "http" || scheme(h, g) == "" && port(h, g) == httpPort:
		return httpWinRM
	default:
		return tlsWinRM
	}
}

// windows reports whether the connection is one of those over WinRM.
func windows(connection string) bool { return connection == "winrm" || connection == "psrp" }

// scheme is what a variable says of how WinRM is spoken; empty for nothing.
func scheme(h engine.Host, g engine.Group) string {
	if connection(h, g) == "psrp" {
		return text(h, g, "ansible_psrp_protocol")
	}
	return text(h, g, "ansible_winrm_scheme")
}

// local reports whether the host is configured without a connection.
func local(h engine.Host, g engine.Group) bool { return connection(h, g) == "local" }

// connection is how Ansible gets to the host: ssh, unless a variable says else.
func connection(h engine.Host, g engine.Group) string {
	if name := text(h, g, "ansible_connection"); name != "" && name != "smart" {
		return name
	}
	return "ssh"
}

// text is the value of a host's variable, or else of its group's.
func text(h engine.Host, g engine.Group, name string) string {
	v, ok := h.Vars[name]
	if !ok {
		v = g.Vars[name]
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
