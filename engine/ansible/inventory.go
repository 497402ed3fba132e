package ansible

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// renderInventory writes the hosts as Ansible's YAML inventory. Host and group
// names are checked, because Ansible reads patterns and ports into them.
func renderInventory(inv engine.Inventory) ([]byte, error) {
	groups := map[string]any{}
	for _, g := range inv.Groups {
		if !plainName(g.Name) {
			return nil, engine.Invalid("group %q: a group's name has letters, digits, '_', '-' and '.' only", g.Name)
		}
		if groups[g.Name] != nil {
			return nil, engine.Invalid("group %q is described twice", g.Name)
		}
		hosts := map[string]any{}
		for _, h := range g.Hosts {
			vars, err := hostVars(h)
			if err != nil {
				return nil, fmt.Errorf("host %q: %w", h.Name, err)
			}
			hosts[h.Name] = vars
		}
		groups[g.Name] = map[string]any{"hosts": hosts, "vars": g.Vars}
	}
	return renderYAML(groups)
}

func hostVars(h engine.Host) (map[string]any, error) {
	if !plainName(h.Name) {
		return nil, engine.Invalid("a host's name has letters, digits, '_', '-' and '.' only; the address goes in address")
	}
	vars := map[string]any{}
	for name, v := range h.Vars {
		vars[name] = v
	}
	if h.Address != "" && h.Address != h.Name {
		vars["ansible_host"] = h.Address
	}
	if h.User != "" {
		vars["ansible_user"] = h.User
	}
	if h.Port != 0 {
		vars["ansible_port"] = h.Port
	}
	return vars, nil
}

func plainName(s string) bool {
	return s != "" && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r))
	}) < 0
}

// endpoint is what must answer before a host can be configured.
type endpoint struct {
	host    string
	address string   // with port
	keys    []string // SSH host keys that the inventory gives
	ssh     bool
}

// endpoints lists where the hosts of the inventory are reached, each once. A
// host that is this machine itself has none.
func endpoints(inv engine.Inventory, port int) []endpoint {
	seen := map[string]bool{}
	var all []endpoint
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			if seen[h.Name] || local(h, g) {
				continue
			}
			seen[h.Name] = true
			at := address(h, port)
			all = append(all, endpoint{h.Name, at, h.HostKeys, connection(h, g) == "ssh" && at == address(h, 0)})
		}
	}
	return all
}

func address(h engine.Host, port int) string {
	host := h.Address
	if host == "" {
		host = h.Name
	}
	switch {
	case port == 0 && h.Port != 0:
		port = h.Port
	case port == 0:
		port = 22
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}

// local reports whether the host is configured without a connection.
func local(h engine.Host, g engine.Group) bool { return connection(h, g) == "local" }

// connection is how Ansible gets to the host: ssh, unless a variable says else.
func connection(h engine.Host, g engine.Group) string {
	v, ok := h.Vars["ansible_connection"]
	if !ok {
		v = g.Vars["ansible_connection"]
	}
	var name string
	if json.Unmarshal(v, &name) != nil || name == "smart" {
		return "ssh"
	}
	return name
}
