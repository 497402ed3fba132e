package engine

import "encoding/json"

// Action is what a plan means to do to one subject.
type Action string

// The actions of a change.
const (
	ActionCreate  Action = "create"
	ActionUpdate  Action = "update"
	ActionReplace Action = "replace"
	ActionDelete  Action = "delete"
	ActionForget  Action = "forget" // leave the thing alone, drop it from the state
	ActionImport  Action = "import" // leave the thing alone, take it into the state
)

// Change is one line of a plan or of a drift result: a resource that
// Terraform would change, or a task that a playbook would run on a host. It
// holds no sensitive value.
type Change struct {
	Subject    string            `json:"subject"` // "aws_vpc.main[0]", or "web-1: Write the page"
	Type       string            `json:"type"`    // "aws_vpc", or the Ansible module such as "copy"
	Action     Action            `json:"action"`
	Reason     string            `json:"reason,omitempty"` // why, where the tool says so
	Imported   bool              `json:"imported,omitempty"`
	Attributes []AttributeChange `json:"attributes,omitempty"`
	Host       string            `json:"host,omitempty"` // of a task
	Task       string            `json:"task,omitempty"`
	Diff       string            `json:"diff,omitempty"` // unified text of a task's diff
}

// AttributeChange is one attribute before and after. Before and After are
// JSON; nil means absent. A sensitive attribute has neither.
type AttributeChange struct {
	Path      string          `json:"path"` // "tags.Name", "ingress[0].cidr_blocks"
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Unknown   bool            `json:"unknown,omitempty"` // After is known only once applied
	Sensitive bool            `json:"sensitive,omitempty"`
	Forces    bool            `json:"forces,omitempty"` // the reason that the resource is replaced
}

// Plan is what one step means to do, made for reading.
type Plan struct {
	Changes []Change       `json:"changes"`
	Outputs []OutputChange `json:"outputs,omitempty"`
	// Notes say what the plan could not find out, such as hosts that do not
	// exist yet or tasks that check mode cannot judge.
	Notes []string `json:"notes,omitempty"`
}

// OutputChange is one output of a component that will be different.
type OutputChange struct {
	Name      string          `json:"name"`
	Action    Action          `json:"action"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Unknown   bool            `json:"unknown,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
}

// Output is the value of a component's output. Type is Terraform's type in
// JSON, as in "string" or ["list","string"]; it is nil where it is not told.
type Output struct {
	Value     json.RawMessage `json:"value,omitempty"`
	Type      json.RawMessage `json:"type,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
	Unknown   bool            `json:"unknown,omitempty"` // known only once applied; Value is nil
	From      []string        `json:"from,omitempty"`    // what an unknown one is made from, such as "aws_vpc.main.id"
}

// Outputs are a component's outputs by name.
type Outputs map[string]Output

// Summary counts what a plan means to do, or what an apply did.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Import  int `json:"import,omitempty"`
	Outputs int `json:"outputs"` // outputs that will change
}

// Summarize counts the changes of p.
func Summarize(p Plan) Summary {
	var s Summary
	for _, c := range p.Changes {
		if c.Imported {
			s.Import++
		}
		switch c.Action {
		case ActionCreate:
			s.Create++
		case ActionUpdate:
			s.Update++
		case ActionReplace:
			s.Replace++
		case ActionDelete, ActionForget:
			s.Delete++
		}
	}
	s.Outputs = len(p.Outputs)
	return s
}

// Add returns the sum of both.
func (s Summary) Add(t Summary) Summary {
	return Summary{s.Create + t.Create, s.Update + t.Update, s.Replace + t.Replace, s.Delete + t.Delete, s.Import + t.Import, s.Outputs + t.Outputs}
}

// Empty reports whether nothing is counted.
func (s Summary) Empty() bool { return s == Summary{} }

// OnlyCreates reports whether nothing that exists would be touched.
func (s Summary) OnlyCreates() bool { return s.Update == 0 && s.Replace == 0 && s.Delete == 0 }

// HostStats counts what a playbook did to one host.
type HostStats struct {
	Host        string `json:"host"`
	OK          int    `json:"ok"`
	Changed     int    `json:"changed"`
	Failed      int    `json:"failed"`
	Skipped     int    `json:"skipped"`
	Unreachable int    `json:"unreachable"`
	Rescued     int    `json:"rescued"`
	Ignored     int    `json:"ignored"`
}

// TaskResult is one task on one host. Results of tasks with no_log keep
// neither message nor diff.
type TaskResult struct {
	Host    string  `json:"host"`
	Task    string  `json:"task"`
	Module  string  `json:"module"`
	Status  string  `json:"status"` // ok, changed, failed, skipped, unreachable, ignored
	Message string  `json:"message,omitempty"`
	Diff    string  `json:"diff,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Recap is what a playbook did, kept as data.
type Recap struct {
	Hosts []HostStats  `json:"hosts"`
	Tasks []TaskResult `json:"tasks"`
}
