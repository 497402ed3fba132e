package engine

// Class is a kind of change that a rule may ask more for.
type Class string

// The classes of change.
const (
	ClassCreate    Class = "create"
	ClassUpdate    Class = "update"
	ClassReplace   Class = "replace"
	ClassDestroy   Class = "destroy"   // or replaced, or forgotten by Terraform
	ClassConfigure Class = "configure" // whatever a playbook does
	ClassNoOp      Class = "no_op"     // nothing but outputs and what Terraform notes
)

// Classes lists the classes of change.
func Classes() []Class {
	return []Class{ClassCreate, ClassUpdate, ClassReplace, ClassDestroy, ClassConfigure, ClassNoOp}
}

// classes lists those of the changes in the step's plan. What the plan cannot
// tell may be anything, and counts as all of them.
func (s *Step) classes() map[Class]bool {
	unknown := s.Status == StepDeferred || len(s.Notes) > 0
	play := s.Component.Kind == KindAnsible
	is := map[Class]bool{
		ClassCreate:    unknown || !play && s.Summary.Create > 0,
		ClassUpdate:    unknown || !play && s.Summary.Update > 0,
		ClassReplace:   unknown || !play && s.Summary.Replace > 0,
		ClassDestroy:   unknown || !play && s.Summary.Delete+s.Summary.Replace > 0 || play && s.Destroy,
		ClassConfigure: unknown || play,
		ClassNoOp:      unknown,
	}
	if !play && s.Summary.OnlyCreates() && s.Summary.Create == 0 {
		is[ClassNoOp] = true
	}
	return is
}

// classes lists those of the plan that waits, in the order of Classes. What is
// applied or unchanged has no part in it.
func (r *Run) classes() (classes []Class) {
	in := map[Class]bool{}
	for _, s := range r.Steps {
		if s.Status != StepPlanned && s.Status != StepApproved && s.Status != StepDeferred {
			continue
		}
		for c, there := range s.classes() {
			in[c] = in[c] || there
		}
	}
	return sortedClasses(in)
}

func sortedClasses(in map[Class]bool) (classes []Class) {
	for _, c := range Classes() {
		if in[c] {
			classes = append(classes, c)
		}
	}
	return classes
}
