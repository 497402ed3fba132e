package engine

import (
	"errors"
	"strings"
	"testing"
)

func TestEnvironmentVariablesThatMayBeSet(t *testing.T) {
	const own = "the engine"
	tests := map[string]struct {
		names []string
		why   string // not; empty where they may
	}{
		"what providers sign in with":    {names: []string{"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "ARM_CLIENT_SECRET", "GOOGLE_CREDENTIALS", "CLOUDFLARE_API_TOKEN"}},
		"tokens for registries":          {names: []string{"TF_TOKEN_app_terraform_io", "TOKEN"}},
		"the way out":                    {names: []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "SSL_CERT_FILE"}},
		"what plays sign in with":        {names: []string{"SSH_PRIVATE_KEY", "ANSIBLE_VAULT_PASSWORD", "ANSIBLE_BECOME_PASS", "ANSIBLE_NET_USERNAME", "ANSIBLE_HASHI_VAULT_TOKEN"}},
		"names that only look alike":     {names: []string{"PATHS", "HOMEPAGE", "GOGCX", "TFX", "LDAP_URL", "ENVIRONMENT", "_", "a1"}},
		"where the state is":             {[]string{"TF_HTTP_ADDRESS", "TF_HTTP_PASSWORD", "TF_WORKSPACE", "TF_DATA_DIR"}, own},
		"which providers there are":      {[]string{"TF_REATTACH_PROVIDERS", "TF_PLUGIN_CACHE_DIR", "TF_CLI_CONFIG_FILE", "TF_SKIP_PROVIDER_VERIFY"}, own},
		"what Terraform says":            {[]string{"TF_LOG", "TF_LOG_PATH", "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_INPUT", "TF_IN_AUTOMATION"}, own},
		"inputs":                         {[]string{"TF_VAR_region"}, "inputs of its component"},
		"code for every tool":            {[]string{"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"}, "load code"},
		"how shells and Python start":    {[]string{"BASH_ENV", "ENV", "SHELLOPTS", "PYTHONPATH", "PYTHONSTARTUP"}, "shells and Python"},
		"what every run has":             {[]string{"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "GOGC", "GOMEMLIMIT"}, own},
		"how Ansible trusts and reports": {[]string{"ANSIBLE_CONFIG", "ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_ARGS", "ANSIBLE_SSH_EXTRA_ARGS", "ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_STDOUT_CALLBACK"}, "ansible.cfg"},
		"the engine's own":               {[]string{"CLOUDOPS_MASTER_KEY", "CLOUDOPS_PLAY"}, "own parts"},
		"what is no name":                {[]string{"", "1A", "A-B", "A=B", "A B", "BASH_FUNC_x%%"}, "letters, digits"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, env := range tt.names {
				err := CheckEnvName(env)
				if tt.why == "" && err != nil || tt.why != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.why)) {
					t.Errorf("%s: %v", env, err)
				}
			}
		})
	}
}
