package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Progress is how far an apply came that did not end well: what its log tells
// of its resources, held against the newest state of its component, or of the
// tasks of its play.
type Progress struct {
	Play     bool   // it is one of a playbook, which has no state
	Serial   int64  // of the newest state; 0 where there is none
	Version  string // its identifier
	Run      string // that wrote it; empty for a person
	Finished []Touched
	Unknown  []Touched // begun, and nobody saw the end
}

// Touched is a resource, or a task on a host, that an apply had in hand.
type Touched struct {
	Address string // of a task "web-1: Write the page"
	Action  Action // create, update or delete; empty for a task that changed nothing, or may not have ended
	ID      string // as the cloud knows it, where Terraform says so
	InState bool   // whether the newest state has it; for a delete, still
	Host    string // of a task; empty where the log does not tell
	Task    string
}

// Progress reads how far the apply of a step came.
func (s *Runs) Progress(ctx context.Context, step *Step, stack string) (*Progress, error) {
	log := &logReader{ctx: ctx, store: s.Store, step: step.ID}
	if step.Component.Kind == KindAnsible {
		return readPlay(log), nil
	}
	p := readProgress(log)
	last, err := s.Store.LatestState(ctx, stack, step.Component.Address)
	if errors.Is(err, ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.Serial, p.Version, p.Run = last.Serial, last.ID, last.Run
	return p, p.compare(last.Data)
}

// compare marks what the state has.
func (p *Progress) compare(state []byte) error {
	ids, err := stateIDs(state)
	if err != nil {
		return err
	}
	for _, list := range [][]Touched{p.Finished, p.Unknown} {
		for i, t := range list {
			id, there := ids[t.Address]
			list[i].InState = there && (t.ID == "" || id == t.ID)
		}
	}
	return nil
}

// The lines in which Terraform says that it begins and ends something, as
// Terraform 1.11 writes them.
var begins, ends = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.+?): (Creating|Modifying|Destroying)\.\.\.(?: \[id=(.*)\])?$`)
}), sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.+?): (?:Creation|Modifications?|Destruction) (complete|errored) after \S+(?: \[id=(.*)\])?$`)
})

// readProgress reads a log as far as it can be read.
func readProgress(log io.Reader) *Progress {
	p := &Progress{}
	eachLine(log, p.take)
	return p
}

// eachLine gives each line of a log to take, without those that are longer
// than any which is looked for.
func eachLine(log io.Reader, take func(line string)) {
	for lines := bufio.NewReaderSize(log, 64<<10); ; {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		if !more {
			take(string(line))
		}
	}
}

func (p *Progress) take(line string) {
	if m := begins().FindStringSubmatch(line); m != nil && !printed(m[1]) {
		action := map[string]Action{"Creating": ActionCreate, "Modifying": ActionUpdate, "Destroying": ActionDelete}[m[2]]
		p.Unknown = append(p.Unknown, Touched{Address: m[1], Action: action, ID: m[3]})
		return
	}
	m := ends().FindStringSubmatch(line)
	if m == nil || printed(m[1]) {
		return
	}
	i := slices.IndexFunc(p.Unknown, func(t Touched) bool { return t.Address == m[1] })
	if i < 0 {
		return
	}
	t := p.Unknown[i]
	p.Unknown = slices.Delete(p.Unknown, i, i+1)
	if m[3] != "" {
		t.ID = m[3]
	}
	if m[2] == "complete" { // what errored did not come to be, or Terraform has it in the state as tainted
		p.Finished = append(p.Finished, t)
	}
}

// printed reports whether what looks like an address is the beginning of what
// a provisioner of it printed.
func printed(address string) bool { return strings.Contains(address, ": (") }

// logReader reads a step's log from its beginning.
type logReader struct {
	ctx   context.Context
	store LogStore
	step  string
	at    int64
}

// Read implements io.Reader.
func (r *logReader) Read(p []byte) (int, error) {
	data, _, err := r.store.ReadLog(r.ctx, r.step, r.at, len(p))
	r.at += int64(len(data))
	if err == nil && len(data) == 0 {
		err = io.EOF
	}
	return copy(p, data), err
}

// stateIDs gives the id of each managed resource instance in a state, by address.
func stateIDs(data []byte) (map[string]string, error) {
	var f struct {
		Resources []struct {
			Mode, Module, Type, Name string
			Instances                []struct {
				Key        json.RawMessage `json:"index_key"`
				Deposed    string
				Attributes struct{ ID any }
			}
		}
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, Invalid("the state is not JSON: %v", err)
	}
	ids := map[string]string{}
	for _, r := range f.Resources {
		address := r.Type + "." + r.Name
		if r.Module != "" {
			address = r.Module + "." + address
		}
		for _, in := range r.Instances {
			if r.Mode != "managed" || in.Deposed != "" {
				continue
			}
			key := ""
			if in.Key != nil {
				key = "[" + string(in.Key) + "]"
			}
			ids[address+key] = fmt.Sprint(in.Attributes.ID)
		}
	}
	return ids, nil
}

// aftermath notes on a plan what came of the apply before it, where that was
// interrupted: what it made and no state knows would be made a second time.
func (s *Runs) aftermath(ctx context.Context, run *Run, step *Step, plan *Plan) error {
	before, err := s.Store.InterruptedStep(ctx, run.Stack, step.Component.Address)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := s.Progress(ctx, before, run.Stack)
	if err != nil {
		return err
	}
	plan.Notes = append(plan.Notes, p.found(before.Run, plan.Changes)...)
	return nil
}

// found says what a plan after the interrupted run found of its resources.
func (p *Progress) found(run string, changes []Change) []string {
	if p.Play {
		return []string{p.foundInPlay(run)}
	}
	creates := map[string]bool{}
	for _, c := range changes {
		creates[c.Subject] = c.Action == ActionCreate
	}
	what := func(t Touched) string {
		if creates[t.Address] {
			return "this plan would make it again"
		}
		return "this plan does not know of it"
	}
	var notes []string
	for _, t := range p.Finished {
		if t.lost() {
			notes = append(notes, fmt.Sprintf("run %s made %s before it was interrupted, and no state has it: %s; recover the state, import it or remove it first", run, t.named(), what(t)))
		}
	}
	for _, t := range p.Unknown {
		if t.lost() {
			notes = append(notes, fmt.Sprintf("run %s was making %s when it was interrupted; look whether it is there: %s", run, t.named(), what(t)))
		}
	}
	if !p.Begun() {
		return []string{fmt.Sprintf("run %s before this one was interrupted, and no log of it names what it made: look whether there is anything that no state has", run)}
	}
	if len(notes) == 0 {
		notes = append(notes, fmt.Sprintf("run %s before this one was interrupted; all that it is known to have made is in the state, and was compared with what is there", run))
	}
	return notes
}

// lost reports whether the resource was made, or may have been, and the state
// does not have it.
func (t Touched) lost() bool { return t.Action == ActionCreate && !t.InState }

// named is the address with the id, where there is one.
func (t Touched) named() string {
	if t.ID == "" {
		return t.Address
	}
	return t.Address + " (" + t.ID + ")"
}

// String tells it in words, as in "aws_vpc.main (vpc-1) created".
func (t Touched) String() string {
	done := t.done()
	if t.lost() {
		done += ", and in no state"
	}
	return t.named() + " " + done
}

// Lines tells the whole in words: the last state, what was finished, and what
// was begun without a known end.
func (p *Progress) Lines() []string {
	if p.Play {
		return p.playLines()
	}
	lines := []string{"there is no state"}
	if p.Serial > 0 {
		by := p.Run
		if by == "" {
			by = "a person"
		}
		lines[0] = fmt.Sprintf("the last state has serial %d, written by %s", p.Serial, by)
	}
	for _, t := range p.Finished[:min(len(p.Finished), told)] {
		lines = append(lines, "finished: "+t.String())
	}
	if more := len(p.Finished) - told; more > 0 {
		lines = append(lines, fmt.Sprintf("finished: %d more, which the log names", more))
	}
	for _, t := range p.Unknown {
		lines = append(lines, "not known: whether "+t.Address+" was "+t.done())
	}
	return lines
}

// told is how many finished resources are told in words.
const told = 50

// Begun reports whether the apply had anything in hand.
func (p *Progress) Begun() bool { return len(p.Finished)+len(p.Unknown) > 0 }

func (t Touched) done() string {
	return map[Action]string{ActionCreate: "created", ActionUpdate: "changed", ActionDelete: "destroyed"}[t.Action]
}
