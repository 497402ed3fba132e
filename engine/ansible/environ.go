package ansible

import (
	"maps"
	"os"
	"runtime"
	"slices"
)

// credentialsDir has the credentials that are files, in the play's folder.
const credentialsDir = "credentials"

// Credentials under these names reach Ansible as a file that only we can read.
// They are not left in the environment.
var keyFiles = map[string]string{ // #nosec G101 -- names of variables
	"SSH_PRIVATE_KEY":        "ANSIBLE_PRIVATE_KEY_FILE",
	"ANSIBLE_VAULT_PASSWORD": "ANSIBLE_VAULT_PASSWORD_FILE",
}

// environ is the whole environment of the play: nothing of ours but PATH, the
// job's credentials, and settings that a bundle's ansible.cfg cannot change.
func (p *play) environ(credentials map[string]string) ([]string, error) {
	env := maps.Clone(credentials)
	if env == nil {
		env = map[string]string{}
	}
	for name, setting := range keyFiles {
		if key, ok := env[name]; ok {
			delete(env, name)
			env[setting] = p.inside(credentialsDir, name)
			if err := write(env[setting], []byte(key+"\n")); err != nil {
				return nil, err
			}
		}
	}
	for _, dir := range []string{"home", "tmp"} {
		if err := os.MkdirAll(p.inside(dir), 0o700); err != nil {
			return nil, err
		}
	}
	maps.Copy(env, p.settings())
	var all []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+env[name])
	}
	return all, nil
}

func (p *play) settings() map[string]string {
	return map[string]string{
		"PATH":     os.Getenv("PATH"),
		"HOME":     p.inside("home"),
		"TMPDIR":   p.inside("tmp"),
		"LANG":     locale(),
		playMarker: p.own(),
		// Python's fork on macOS crashes in children otherwise.
		"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",

		"ANSIBLE_CALLBACK_PLUGINS":                 p.inside("callback"),
		"ANSIBLE_CALLBACKS_ENABLED":                "cloudops_events",
		"ANSIBLE_STDOUT_CALLBACK":                  "default",
		"ANSIBLE_CALLBACK_RESULT_FORMAT":           "yaml",
		"ANSIBLE_CHECK_MODE_MARKERS":               "True",
		"ANSIBLE_NOCOLOR":                          "True",
		"ANSIBLE_NOCOWS":                           "True",
		"ANSIBLE_RETRY_FILES_ENABLED":              "False",
		"ANSIBLE_LOCALHOST_WARNING":                "False",
		"ANSIBLE_INVENTORY_ENABLED":                "yaml",
		"ANSIBLE_LOCAL_TEMP":                       p.inside("tmp"),
		"ANSIBLE_PYTHON_INTERPRETER":               "auto_silent",
		"ANSIBLE_GATHERING":                        "smart",
		"ANSIBLE_CACHE_PLUGIN":                     "jsonfile",
		"ANSIBLE_CACHE_PLUGIN_CONNECTION":          p.inside(factsDir),
		"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
		"ANSIBLE_PIPELINING":                       "True",
		"ANSIBLE_SSH_CONTROL_PATH_DIR":             p.sockets,
	}
}

// locale is one that Ansible accepts: it insists on UTF-8.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8"
	}
	return "C.UTF-8"
}
