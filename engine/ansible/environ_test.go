package ansible

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestWhatAPlaySetsCannotBeSetByPeople(t *testing.T) {
	p := &play{}
	for name := range p.settings() {
		if engine.CheckEnvName(name) == nil {
			t.Errorf("%s would be lost", name)
		}
	}
	for name, setting := range keyFiles {
		if err := engine.CheckEnvName(name); err != nil || engine.CheckEnvName(setting) == nil {
			t.Errorf("%s: %v, or %s would be lost", name, err, setting)
		}
	}
}
