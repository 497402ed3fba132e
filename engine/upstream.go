package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Upstream is another stack whose outputs a stack reads.
type Upstream struct {
	Name    string   // its label, as in upstream.shared
	Stack   string   // that it stands for
	Trigger bool     // start a run when one of Outputs changes
	Outputs []string // that are read
}

// upstreamPrefix begins the addresses of upstream blocks among those of components.
const upstreamPrefix = "upstream."

// Address is what references to the upstream's outputs begin with.
func (u Upstream) Address() string { return upstreamPrefix + u.Name }

// Upstream returns the upstream block at address, or nil.
func (b *Blueprint) Upstream(address string) *Upstream {
	for i := range b.Upstreams {
		if b.Upstreams[i].Address() == address {
			return &b.Upstreams[i]
		}
	}
	return nil
}

// Reader is a stack that reads the outputs of another one, in its newest revision
// or in the one that is applied.
type Reader struct {
	Stack    string
	Upstream string // name of the stack that is read
	Trigger  bool   // start a run when one of Outputs changes
	Outputs  []string
	Applied  int               // revision that the reading stack is at
	Change   string            // run that last changed the upstream; empty for none
	SeenRun  string            // the last such run that was looked at; empty for none yet
	Seen     map[string]string // keyed digest of each output as it was then
}

// asApplied leaves of the link what the applied revision, which rev is, has of it,
// and reports whether that is anything.
func (r Reader) asApplied(rev *Revision) (Reader, bool) {
	r.Trigger, r.Outputs = false, nil
	reads := false
	for _, u := range rev.Blueprint.Upstreams {
		if u.Stack == r.Upstream {
			reads = true
			r.Trigger = r.Trigger || u.Trigger
			r.Outputs = append(r.Outputs, u.Outputs...)
		}
	}
	return r, reads
}

// reading gives the link as the applied revision of the reading stack has it;
// false where nothing of the stack is applied, or nothing that reads.
func (s *Runs) reading(ctx context.Context, r Reader) (Reader, bool, error) {
	if r.Applied == 0 {
		return r, false, nil
	}
	rev, err := s.outline(ctx, r.Stack, r.Applied)
	if err != nil {
		return r, false, err
	}
	r, reads := r.asApplied(rev)
	return r, reads, nil
}

// changed lists the outputs that are no longer as they were seen.
func (r Reader) changed(now map[string]string) (names []string) {
	for _, name := range r.Outputs {
		if now[name] != r.Seen[name] {
			names = append(names, name)
		}
	}
	return names
}

// upstreamOutputs reads the outputs of another stack as they are. Where the
// step takes its component away it goes on without those that are gone.
func (s *Runs) upstreamOutputs(ctx context.Context, up Upstream, step *Step) (Outputs, error) {
	outputs, err := s.StackOutputs(ctx, up.Stack)
	if err != nil || step.Destroy {
		return outputs, err
	}
	for _, ref := range step.Component.Refs {
		if o, there := outputs[ref.Output]; ref.Upstream == up.Address() && (!there || o.Unknown) {
			return nil, Invalid("%s: %s waits for output %s of stack %s, which has none by that name as it is applied; apply it first",
				step.Component.Address, ref.Input, ref.Output, up.Stack)
		}
	}
	return outputs, nil
}

// followUpstreams starts runs of the stacks that asked for one when outputs
// of a stack they read change. What fails is tried again by the next sweep.
func (s *Runs) followUpstreams(ctx context.Context) error {
	readers, err := s.Store.StaleReaders(ctx, sweepBatch)
	if err != nil {
		return err
	}
	for _, r := range readers {
		s.noteSweep(ctx, "reader "+r.Stack+" of stack "+r.Upstream, r.Change, s.follow(ctx, r))
	}
	return nil
}

// follow looks at what a run changed of what a stack reads. The start comes
// before the note that it was seen: a second one for the same change is refused.
func (s *Runs) follow(ctx context.Context, r Reader) error {
	now, err := s.looksLike(ctx, r)
	if err != nil {
		return err
	}
	applied, reads, err := s.reading(ctx, r)
	if err != nil {
		return err
	}
	if names := applied.changed(now); reads && len(names) > 0 && applied.Trigger && r.SeenRun != "" {
		if err := s.startReader(ctx, r, names); err != nil {
			return err
		}
	}
	return s.Store.SawUpstream(ctx, r, now)
}

// looksLike gives a keyed digest of each output that a link is for, as it is now.
func (s *Runs) looksLike(ctx context.Context, r Reader) (map[string]string, error) {
	outputs, err := s.StackOutputs(ctx, r.Upstream)
	now := map[string]string{}
	for name, o := range s.digests(outputs) {
		if slices.Contains(r.Outputs, name) {
			now[name] = o.Digest
		}
	}
	return now, err
}

// noteRead keeps what a stack of which nothing is applied yet is planned with, so
// that a change before its first apply is one that it follows afterwards. It comes
// before the outputs are read: what is seen too early is followed, at worst, for
// nothing.
func (s *Runs) noteRead(ctx context.Context, run *Run, upstream string) error {
	if run.Kind != RunApply {
		return nil
	}
	readers, err := s.Store.Readers(ctx, upstream)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(readers, func(r Reader) bool { return r.Stack == run.Stack && r.Applied == 0 })
	if i < 0 {
		return nil
	}
	now, err := s.looksLike(ctx, readers[i])
	if err != nil {
		return err
	}
	return s.Store.SawUpstream(ctx, readers[i], now)
}

// startReader starts the run of a reading stack. One that cannot be started as
// things are is not tried again for the same change.
func (s *Runs) startReader(ctx context.Context, r Reader, changed []string) error {
	people, err := s.behindUpstream(ctx, r)
	if err != nil {
		return err
	}
	_, err = s.Start(ctx, Principal{User: "stack " + r.Upstream, Rights: Everywhere(RoleDeployer)}, StartRequest{
		Stack: r.Stack, Kind: RunApply, Revision: r.Applied, Trigger: TriggerUpstream, Origin: r.Change,
		Message: fmt.Sprintf("%s of stack %s changed with %s", strings.Join(changed, ", "), r.Upstream, r.Change), starters: people,
	})
	if Refused(err) {
		s.Log.WarnContext(ctx, "a change upstream started no run", "stack", r.Stack, "upstream", r.Upstream, "err", err)
		return nil
	}
	return err
}

// behindUpstream names who is behind a run that follows from a change upstream:
// who started that change, and who wrote the revision that is applied again.
func (s *Runs) behindUpstream(ctx context.Context, r Reader) ([]string, error) {
	change, err := s.Store.Run(ctx, r.Change)
	if err != nil && !errors.Is(err, ErrNotFound) { // it was removed with age
		return nil, err
	}
	rev, err := s.outline(ctx, r.Stack, r.Applied)
	if err != nil {
		return nil, err
	}
	people := []string{rev.Author, rev.Person}
	if change != nil {
		people = append(people, change.Starters...)
	}
	return people, nil
}

// checkReaders refuses to take a stack away whose outputs are in use.
func (s *Runs) checkReaders(ctx context.Context, req StartRequest) error {
	if req.Kind != RunDestroy {
		return nil
	}
	readers, err := s.Store.Readers(ctx, req.Stack)
	if err != nil {
		return err
	}
	var using []string
	for _, r := range readers { // one of a stack
		_, reads, err := s.reading(ctx, r)
		if err != nil {
			return err
		}
		if reads {
			using = append(using, r.Stack)
		}
	}
	if len(using) > 0 {
		return Conflict("the outputs of stack %s are read by what is applied of %s; destroy that first", req.Stack, strings.Join(using, ", "))
	}
	return nil
}

// Seen leaves of the readers of a stack those that p may see.
func Seen(readers []Reader, p Principal) []Reader {
	within := p.Within(MayRead)
	return slices.DeleteFunc(readers, func(r Reader) bool { return !within.Holds(r.Stack) })
}
