package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// variables are Ansible's, by name.
type variables map[string]json.RawMessage

// settleReach writes what variables say of how hosts are reached into the hosts'
// own fields, so that all who ask mean the same machine: Ansible, who waits for
// it, and who keeps its keys.
func settleReach(inv engine.Inventory, play variables) error {
	settled := map[string]reach{}
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			r, err := reachOf(levelsOf(inv, play, h.Name))
			if err != nil {
				return engine.Invalid("host %s %v", h.Name, err)
			}
			settled[h.Name] = r
		}
	}
	for _, g := range inv.Groups {
		for i := range g.Hosts {
			settled[g.Hosts[i].Name].settle(&g.Hosts[i])
		}
		dropAliases(g.Vars)
	}
	return nil
}

// levelsOf lists what is said of a host, the strongest first. As Ansible has it,
// the play's variables win over the host's, and those over its groups'.
func levelsOf(inv engine.Inventory, play variables, host string) [][]variables {
	own, groups := []variables{}, []variables{}
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			if h.Name == host {
				own, groups = append(own, fieldsAsVars(h), h.Vars), append(groups, g.Vars)
			}
		}
	}
	return [][]variables{{play}, own, groups}
}

func fieldsAsVars(h engine.Host) variables {
	vars := variables{}
	for name, text := range map[string]string{"ansible_host": h.Address, "ansible_user": h.User} {
		if text != "" {
			vars[name], _ = json.Marshal(text) // a text is always JSON
		}
	}
	if h.Port != 0 {
		vars["ansible_port"] = json.RawMessage(strconv.Itoa(h.Port))
	}
	return vars
}

// reach is how a host is reached. What nobody speaks of is empty.
type reach struct {
	connection, address, user string
	port                      int
}

func reachOf(levels [][]variables) (r reach, err error) {
	if r.connection, err = strongest(levels, "ansible_connection"); err != nil {
		return r, err
	}
	plugin := "ssh"
	if r.connection == "winrm" || r.connection == "psrp" {
		plugin = r.connection
	}
	if r.address, err = strongest(levels, "ansible_host", "ansible_"+plugin+"_host"); err != nil {
		return r, err
	}
	if r.user, err = strongest(levels, "ansible_user", "ansible_"+plugin+"_user"); err != nil {
		return r, err
	}
	port, err := strongest(levels, "ansible_port", "ansible_"+plugin+"_port")
	if err != nil || port == "" {
		return r, err
	}
	if r.port, err = strconv.Atoi(port); err != nil || r.port < 1 || r.port > 65535 {
		return r, errors.New("has an ansible_port that is not from 1 to 65535")
	}
	return r, nil
}

// strongest is the value that counts of a variable with all its names.
func strongest(levels [][]variables, names ...string) (string, error) {
	for _, level := range levels {
		found := ""
		for _, vars := range level {
			for _, name := range names {
				text := varText(vars[name])
				if text != "" && found != "" && text != found {
					return "", fmt.Errorf("has several values for %s: in its own fields, its variables or those of its groups. Leave one of them", names[0])
				}
				if text != "" {
					found = text
				}
			}
		}
		if found != "" {
			return found, nil
		}
	}
	return "", nil
}

// varText is a text or number as Ansible would read it.
func varText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return strings.TrimSpace(string(raw))
}

// settle writes the reach into the host, and takes out the variables that it
// was made from.
func (r reach) settle(h *engine.Host) {
	h.Address, h.User, h.Port = r.address, r.user, r.port
	for _, name := range []string{"ansible_host", "ansible_user", "ansible_port"} {
		delete(h.Vars, name)
	}
	dropAliases(h.Vars)
	if r.connection == "" {
		return
	}
	if h.Vars == nil {
		h.Vars = variables{}
	}
	h.Vars["ansible_connection"], _ = json.Marshal(r.connection) // a text is always JSON
}

// dropAliases takes out the other names of what a host's fields say: Ansible
// would take them over a host's own values even where a group has them.
func dropAliases(vars variables) {
	for _, plugin := range []string{"ssh", "winrm", "psrp"} {
		for _, what := range []string{"host", "user", "port"} {
			delete(vars, "ansible_"+plugin+"_"+what)
		}
	}
}
