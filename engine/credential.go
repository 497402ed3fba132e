package engine

import "time"

// Credential is a set of environment variables that a cloud's Terraform
// provider, or Ansible, authenticates with. Values are write-only.
type Credential struct {
	Name        string
	Cloud       Cloud
	Description string
	Values      map[string]Secret // environment variable to value; lists leave it empty
	Keys        []string          // names of Values, sorted
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Schedule starts runs of a stack by the clock.
type Schedule struct {
	ID        string
	Stack     string
	Name      string // unique in its stack; "drift" comes from the stack's own drift block
	Kind      RunKind
	Cron      string // five fields, or "@every 6h"
	Timezone  string // IANA name
	Paused    bool
	NextRunAt time.Time
	LastRunAt time.Time // zero before the first
	LastRun   string
	CreatedBy string
	CreatedAt time.Time
}

// CredentialFor gives the whole name of the credentials that a stack calls by
// name. It wraps ErrNotFound for those of another project.
func CredentialFor(stack, name string) (string, error) {
	project := ProjectOf(stack)
	whole := InProject(project, name)
	if ProjectOf(whole) != project {
		return whole, NotFound("credentials %s are of another project than stack %s", name, stack)
	}
	return whole, nil
}
