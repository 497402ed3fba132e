package engine

import "context"

// Origin is where a change, or an attempt at one, comes from.
type Origin struct {
	Address string // IP address of who asked; empty for the engine itself
	Request string // identifier of the request
	Via     string // "session", "token tok-...", "runner step-...", or a part of the system, as in "schedule"
	Agent   string // what a browser or program says that it is; no part of events
	Quiet   bool   // it asks by itself, and nobody has done anything; no part of events
}

type originKey struct{}

// WithOrigin returns a context whose changes come from o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginFrom tells where the changes of a context come from; the system itself
// where the context does not say.
func OriginFrom(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Via: "system"}
}
