package engine

import "context"

// Origin is where a request comes from.
type Origin struct {
	Address string // of who asks, without a port
	Agent   string // what a browser or program says that it is
	Quiet   bool   // it asks by itself: nobody has done anything
}

type originKey struct{}

// WithOrigin returns a context that says where a request comes from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginFrom tells where a request comes from; the zero Origin for what nobody
// has asked for.
func OriginFrom(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
