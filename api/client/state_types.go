package client

import "time"

// StateVersion is one version of a component's Terraform state.
type StateVersion struct {
	ID        string    `json:"id"`
	Stack     string    `json:"stack"`
	Component string    `json:"component"`
	Serial    int64     `json:"serial"`
	Lineage   string    `json:"lineage"`
	Size      int       `json:"size" doc:"In bytes."`
	Resources int       `json:"resources"`
	Run       string    `json:"run,omitempty"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
}

// Progress is how far an apply came, by its log and, of Terraform, the newest state.
type Progress struct {
	Serial   int64     `json:"serial" doc:"Of the component's newest state; 0 where there is none."`
	Version  string    `json:"state_version,omitempty"`
	Run      string    `json:"run,omitempty" doc:"That wrote the state; absent for a person."`
	Finished []Touched `json:"finished"`
	Unknown  []Touched `json:"unknown" doc:"Begun, and nobody saw the end."`
	Lines    []string  `json:"lines" doc:"The same in words."`
}

// Touched is a resource, or a task on a host, that an apply had in hand.
type Touched struct {
	Address string `json:"address"`
	Action  string `json:"action,omitempty" enum:"create,update,delete" doc:"Absent for a task that changed nothing, or may not have ended."`
	ID      string `json:"id,omitempty"`
	InState bool   `json:"in_state" doc:"Whether the newest state has it; for a delete, still."`
	Host    string `json:"host,omitempty" doc:"Of a task; absent where the log does not tell."`
	Task    string `json:"task,omitempty"`
}
