package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// operation is one line of the API: what it takes, and what it is for.
type operation struct {
	method, path, id, summary, tag string
	permission                     engine.Permission
	status                         int               // of a success; 0 for 200
	raw                            bool              // the body is taken as it comes
	secret                         bool              // the answer holds a secret
	body                           *huma.RequestBody // what it looks like, where the type of the request does not tell
	gives                          content           // what the answer looks like, where its type does not tell
}

// content is what an answer may look like: a value of the type that its JSON
// has, or nil for bytes, by content type.
type content map[string]any

// The answers that are not JSON of ours.
var (
	anyJSON   = content{"application/json": nil}
	aBundle   = content{"application/gzip": nil}
	someText  = content{"text/plain": nil}
	someBytes = content{"application/octet-stream": nil}
)

// events is a stream of server-sent events with JSON like v as data.
func events(v any) content { return content{"text/event-stream": v} }

// handle registers an operation with its permission. An error becomes a
// problem here and nowhere else.
func handle[I, O any](s *server, op operation, h func(context.Context, *I) (*O, error)) {
	route := op.method + " " + ginPath(op.path)
	s.permissions[route], s.secret[route] = op.permission, op.secret
	o := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{op.tag},
		DefaultStatus: op.status, SkipValidateBody: op.raw, MaxBodyBytes: -1, BodyReadTimeout: -1, // the middleware limits the body
		RequestBody: op.body, Responses: s.responses(op),
	}
	switch op.permission {
	case public:
	case signedIn:
		o.Security = []map[string][]string{{"token": {}}, {"session": {}}}
		o.Description = "Takes nothing but to be signed in."
	case asRunner:
		o.Security = []map[string][]string{{"token": {}}}
		o.Description = "Takes the token of the runner that has the step in hand."
	default:
		o.Security = []map[string][]string{{"token": {}}, {"session": {}}}
		o.Description = "Takes the permission " + string(op.permission) + "."
	}
	if unsafe(op.method) && op.permission != public && op.permission != asRunner && !op.secret {
		o.Parameters = append(o.Parameters, idempotencyKey())
	}
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

func idempotencyKey() *huma.Param {
	longest := maxKey
	return &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string", MaxLength: &longest},
		Description: "Chosen by you. A request that comes again with it is not made again, but answered like the first time."}
}

// responses describes what the operation gives; nil where its type tells.
func (s *server) responses(op operation) map[string]*huma.Response {
	if op.gives == nil {
		return nil
	}
	kinds := map[string]*huma.MediaType{}
	for kind, v := range op.gives {
		kinds[kind] = &huma.MediaType{Schema: s.schema(kind, v)}
	}
	return map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: kinds}}
}

func (s *server) schema(kind string, v any) *huma.Schema {
	switch {
	case v != nil:
		t := reflect.TypeOf(v)
		return s.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
	case kind == "application/json":
		return &huma.Schema{}
	case kind == "text/plain":
		return &huma.Schema{Type: "string"}
	default:
		return &huma.Schema{Type: "string", Format: "binary"}
	}
}

// body is an answer in JSON.
type body[T any] struct{ Body T }

func answer[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// short is the answer of a list that has one page, for what it lists was just done.
func short[T, U any](all []T, show func(T) U, err error) (*body[client.List[U]], error) {
	return answer(client.List[U]{Items: each(all, show)}, err)
}

// none is a request without parameters.
type none struct{}

// IDPath is a request about one thing with an identifier.
type IDPath struct {
	ID string `path:"id"`
}

// PageQuery is what lists take.
type PageQuery struct {
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// StackPage is a request for a list of one stack.
type StackPage struct {
	StackPath
	PageQuery
}

// engine asks for one more than is shown, to know whether there are more.
func (p PageQuery) engine() engine.Page { return engine.Page{After: p.Cursor, Limit: p.Limit + 1} }

// seen is the page of a list over many stacks: of that which the caller holds
// the permission for.
func (p PageQuery) seen(ctx context.Context, perm engine.Permission) engine.Page {
	page, within := p.engine(), me(ctx).Within(perm)
	page.Within = &within
	return page
}
