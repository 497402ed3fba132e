package engine

import "time"

// StateVersion is one version of a component's Terraform state.
type StateVersion struct {
	ID        string
	Stack     string
	Component string // address
	Serial    int64
	Lineage   string
	Size      int    // of Data, in bytes
	Run       string // that wrote it; empty for a person
	By        string // who wrote it
	CreatedAt time.Time
	Resources int    // managed resource instances in it
	Data      []byte // the state as Terraform wrote it; lists leave it empty
}

// StateLock is a lock on a component's Terraform state.
type StateLock struct {
	ID        string // as Terraform chose it
	Stack     string
	Component string
	Holder    string // person or run
	Reason    string // operation
	Step      string // that holds it; empty for a person
	CreatedAt time.Time
	Info      []byte // the lock as Terraform sent it, JSON
	// Interrupted is set where the apply of its step was: the lock keeps all
	// others out until a person has looked.
	Interrupted bool
}

// StatePut is what a write of states rests on and what goes with it. All of it
// is checked and done in the transaction of the write.
type StatePut struct {
	Writer StateWriter
	Lock   string  // identifier of the lock that the writer holds; a state with another one is not written
	Free   bool    // give that lock back
	Events []Event // to be noted, unless all that is written was there already
}
