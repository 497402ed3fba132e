package api

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestOnPostgreSQL(t *testing.T) { enginetest.AgainOnPostgres(t) }
