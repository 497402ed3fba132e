package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/engine"
)

// via notes by what a request was let in.
func via(ctx context.Context, what string) context.Context {
	o := engine.OriginFrom(ctx)
	o.Via = what
	return engine.WithOrigin(ctx, o)
}

// viaOf names what a principal has shown.
func viaOf(p engine.Principal) string {
	if p.Token == "" {
		return "session"
	}
	return "token " + p.Token
}
