package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestCertificatesAreKeptForAllProcesses(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.Certificate(t.Context(), "example.com")
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("error = %v, want ErrNotFound", err)
		}
		for _, data := range []string{"one", "two"} {
			must(t, s.PutCertificate(t.Context(), "example.com", []byte(data)))
			wantEqual(t, string(got(s.Certificate(t.Context(), "example.com"))(t)), data)
		}
		must(t, s.DeleteCertificate(t.Context(), "example.com"))
		if _, err := s.Certificate(t.Context(), "example.com"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("error = %v, want ErrNotFound", err)
		}
	})
}

func TestCertificatesAreSealed(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	must(t, s.PutCertificate(t.Context(), public, []byte(secret)))
	if file := onDisk(t, url); bytes.Contains(file, []byte(secret)) || !bytes.Contains(file, []byte(public)) {
		t.Error("the file holds the key in plain text, or nothing")
	}
}
