package store_test

import (
	"reflect"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// unnoted are the writes that take no event, and why there is none to take.
var unnoted = map[string]string{
	"AddCheckpoint": "it is about events", "Forwarded": "it is about events", "ForwardFailed": "it is about events",
	"AddDelivery": "messages tell of events", "NoteDelivery": "messages tell of events", "DropDeliveries": "messages tell of events",
	"CreateRun": "the run brings its events", "PutState": "the StatePut brings its events",
	"FireSchedule": "the run that it starts is the event", "CallStarted": "the run that it starts is the event",
	"CreateDevice": "nobody has said anything to it", "DeleteExpiredSessions": "time has ended them",
	"TouchSession": "it is only used", "TouchToken": "it is only used", "Beat": "it only says that somebody is alive",
	"AbandonRequest": "requests are done once", "FinishRequest": "requests are done once", "ForgetRequests": "requests are done once",
	"PutArtifact": "the step that made it is in the run's events", "PutHosts": "the run's events tell of the step", "RetireHosts": "the run's events tell of the step",
	"RecordFindings": "the run's events tell what was found", "Relayed": "it only says what a queue has", "SawUpstream": "it only says what was looked at",
	"PutCertificate": "an authority gave it", "DeleteCertificate": "an authority gave it", "DropIssuerKeys": "rotation noted it",
	"Ping": "it writes nothing", "Migrate": "the chain may not be there yet", "Close": "it writes nothing", "CountReads": "it writes nothing",
}

// TestEachWriteTakesItsEvent holds every method that returns nothing but an error to
// writing its event in its own transaction: as an argument, or what a function that
// it calls there gives.
func TestEachWriteTakesItsEvent(t *testing.T) {
	of := reflect.TypeFor[*store.Store]()
	for i := range of.NumMethod() {
		m := of.Method(i)
		if m.Type.NumOut() != 1 || m.Type.Out(0) != reflect.TypeFor[error]() {
			continue
		}
		_, known := unnoted[m.Name]
		if takes := takesEvent(m.Type); takes == known {
			t.Errorf("%s takes an event: %v, and is listed as one that takes none: %v", m.Name, takes, known)
		}
	}
}

func takesEvent(f reflect.Type) bool {
	event := reflect.TypeFor[engine.Event]()
	for i := range f.NumIn() {
		in := f.In(i)
		switch {
		case in == event, in == reflect.SliceOf(event):
			return true
		case in.Kind() == reflect.Func && givesEvent(in, event):
			return true
		}
	}
	return false
}

func givesEvent(f, event reflect.Type) bool {
	for i := range f.NumOut() {
		if f.Out(i) == event || f.Out(i) == reflect.SliceOf(event) {
			return true
		}
	}
	return false
}
