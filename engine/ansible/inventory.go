package ansible

import (
	"fmt"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// renderInventory writes the hosts as Ansible's YAML inventory. Host and group
// names are checked, because Ansible reads patterns and ports into them. Modules
// that run on this machine get the folder tmp where nobody says another; "" leaves
// them that of the user's home.
func renderInventory(inv engine.Inventory, tmp string) ([]byte, error) {
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
			vars, err := hostVars(h, g)
			if err != nil {
				return nil, fmt.Errorf("host %q: %w", h.Name, err)
			}
			if _, said := g.Vars[localTmp]; tmp != "" && local(h, g) && !said && vars[localTmp] == nil {
				vars[localTmp] = tmp
			}
			hosts[h.Name] = vars
		}
		groups[g.Name] = map[string]any{"hosts": hosts, "vars": g.Vars}
	}
	return renderYAML(groups)
}

const localTmp = "ansible_remote_tmp" // of a connection to this machine, too

func hostVars(h engine.Host, g engine.Group) (map[string]any, error) {
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
	if h.Port != 0 || windows(connection(h, g)) { // Ansible's default for WinRM does not look at the scheme
		vars["ansible_port"] = port(h, g)
	}
	return vars, nil
}

func plainName(s string) bool {
	return s != "" && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r))
	}) < 0
}
