package client

import (
	"net/http"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Error is an answer that is not a success. It wraps the engine's kind.
type Error struct{ Problem }

// Error words the problem for people. Of mistakes in a stack it gives the places
// without the lines of source that stand there.
func (e *Error) Error() string {
	text := e.title()
	for _, d := range e.Diagnostics {
		d.Snippet = ""
		text += "\n" + d.Engine().String()
	}
	return text
}

// Report is Error with the lines of source.
func (e *Error) Report() string {
	text := e.title()
	for _, d := range e.Diagnostics {
		text += "\n" + d.Engine().String()
	}
	return text
}

func (e *Error) title() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	for _, f := range e.Errors {
		if text += "; "; f.Location != "" {
			text += strings.TrimPrefix(f.Location, "body.") + ": "
		}
		text += f.Message
	}
	if e.Status >= 500 && e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Unwrap gives the engine's kind, so that errors.Is works across the wire.
func (e *Error) Unwrap() error {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return engine.ErrInvalid
	case http.StatusUnauthorized:
		return engine.ErrUnauthorized
	case http.StatusForbidden:
		return engine.ErrForbidden
	case http.StatusNotFound:
		return engine.ErrNotFound
	case http.StatusConflict, http.StatusLocked:
		return engine.ErrConflict
	}
	return nil
}
