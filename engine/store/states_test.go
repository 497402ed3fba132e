package store_test

import (
	"errors"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// state is a version of the state of shop/terraform.a.
func state(serial int64, lineage string, resources int) *engine.StateVersion {
	return &engine.StateVersion{ID: engine.NewID("state", noon.Add(1e6*1000*1e0*1e0)), Stack: "shop", Component: "terraform.a", Serial: serial,
		Lineage: lineage, By: "ada", CreatedAt: noon, Resources: resources, Data: []byte("state of " + lineage)}
}
