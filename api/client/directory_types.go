package client

// Whoami says who a token or session belongs to, and what it may do.
type Whoami struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind" doc:"person or service."`
	Owner      string    `json:"owner,omitempty" doc:"Who answers for a service account."`
	MustChange bool      `json:"must_change,omitempty" doc:"The password has to be changed first."`
	Teams      []string  `json:"teams"`
	Bindings   []Binding `json:"bindings" doc:"Roles, also those of the teams."`
}

// Binding gives a role to a user or a team.
type Binding struct {
	Subject string `json:"subject" doc:"user:<name> or team:<name>."`
	Role    string `json:"role"`
	Scope   string `json:"scope,omitempty" doc:"installation, which is what nothing means, project:<name> or stack:<name>."`
}

// Role is a set of permissions.
type Role struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	BuiltIn     bool     `json:"built_in"`
	Permissions []string `json:"permissions"`
}

// PutRole makes a role.
type PutRole struct {
	Description string   `json:"description,omitempty"`
	Permissions []string `json:"permissions"`
}

// Project holds stacks, credentials, variable sets and rules.
type Project struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Described is what is said of something that has a name.
type Described struct {
	Description string `json:"description,omitempty"`
}

// Team is people who are given roles together.
type Team struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Members     []Member `json:"members"`
}

// Member is somebody in a team.
type Member struct {
	User   string `json:"user"`
	Source string `json:"source,omitempty" doc:"The identity provider that says so."`
}
