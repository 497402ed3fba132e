package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// StackPath is a request about one stack.
type StackPath struct {
	Stack string `path:"stack"`
}

func (s *server) stackRoutes() {
	handle(s, operation{method: "GET", path: "/v1/stacks", id: "list-stacks", summary: "List stacks by name", tag: "stacks", permission: engine.MayRead}, s.listStacks)
	handle(s, operation{method: "POST", path: "/v1/stacks", id: "create-stack", summary: "Make a stack without a revision", tag: "stacks", permission: engine.MaySubmit, status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body client.CreateStack }) (*body[client.Stack], error) {
			st, err := s.Stacks.Create(ctx, me(ctx), in.Body.Name, in.Body.Description, in.Body.Labels)
			if err != nil {
				return nil, err
			}
			return answer(stackJSON(st, 0), nil)
		})
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}", id: "get-stack", summary: "Read a stack", tag: "stacks", permission: engine.MayRead}, s.getStack)
	handle(s, operation{method: "DELETE", path: "/v1/stacks/{stack}", id: "delete-stack", summary: "Delete a stack of which nothing is left", tag: "stacks", permission: engine.MayManage},
		func(ctx context.Context, in *StackPath) (*none, error) {
			return &none{}, s.Stacks.Delete(ctx, me(ctx), in.Stack)
		})
	handle(s, operation{method: "PUT", path: "/v1/stacks/{stack}/hold", id: "hold-stack", summary: "Put a stack under a legal hold", tag: "stacks", permission: engine.MayManage}, s.changeHold(s.Stacks.Hold))
	handle(s, operation{method: "DELETE", path: "/v1/stacks/{stack}/hold", id: "release-stack", summary: "End a stack's legal hold", tag: "stacks", permission: engine.MayManage}, s.changeHold(s.Stacks.Release))
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/outputs", id: "get-outputs", summary: "Read a stack's outputs", tag: "stacks", permission: engine.MayRead}, s.stackOutputs)
}

// HoldRequest puts a legal hold on a stack or ends it.
type HoldRequest struct {
	StackPath
	Reason string `query:"reason" required:"true" minLength:"1" doc:"Why; kept in the audit log."`
}

func (s *server) changeHold(change func(context.Context, engine.Principal, string, string) error) func(context.Context, *HoldRequest) (*none, error) {
	return func(ctx context.Context, in *HoldRequest) (*none, error) {
		return &none{}, change(ctx, me(ctx), in.Stack, in.Reason)
	}
}

func (s *server) listStacks(ctx context.Context, in *PageQuery) (*body[client.List[client.Stack]], error) {
	stacks, err := s.Store.Stacks(ctx, in.seen(ctx, engine.MayRead))
	if err != nil {
		return nil, err
	}
	findings, err := s.Store.OpenFindings(ctx, each(stacks, func(st *engine.Stack) string { return st.Name }))
	if err != nil {
		return nil, err
	}
	show := func(st *engine.Stack) client.Stack { return stackJSON(st, findings[st.Name]) }
	return paged(stacks, *in, show, func(st *engine.Stack) string { return st.Name }), nil
}

func (s *server) getStack(ctx context.Context, in *StackPath) (*body[client.Stack], error) {
	st, err := s.Store.Stack(ctx, in.Stack)
	if err != nil {
		return nil, err
	}
	findings, err := s.Store.OpenFindings(ctx, []string{in.Stack})
	if err != nil {
		return nil, err
	}
	readers, err := s.Store.Readers(ctx, in.Stack)
	shown := stackJSON(st, findings[in.Stack])
	shown.ReadBy = each(engine.Seen(readers, me(ctx)), func(r engine.Reader) string { return r.Stack })
	return answer(shown, err)
}

func (s *server) stackOutputs(ctx context.Context, in *struct {
	StackPath
	Reveal bool `query:"reveal" doc:"Show sensitive values too; takes the permission state.read."`
}) (*body[map[string]client.Output], error) {
	if in.Reveal {
		if err := me(ctx).Check(engine.MayReadState, engine.StackScope(in.Stack)); err != nil {
			return nil, err
		}
	}
	outputs, err := s.Runs.StackOutputs(ctx, in.Stack)
	if err == nil && in.Reveal {
		err = s.Store.AddEvent(ctx, engine.Event{At: s.Now(), Actor: me(ctx).User, Action: "outputs.reveal", Stack: in.Stack, Subject: in.Stack, Detail: []byte("{}")})
	}
	return answer(outputsJSON(outputs, in.Reveal), err)
}

func (s *server) revisionRoutes() {
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/revisions", id: "submit-revision", tag: "stacks", permission: engine.MaySubmit, status: http.StatusCreated, raw: true, body: s.submissionBody(),
		summary: "Submit a revision: files in JSON, a tar.gz in a form, or a tar.gz as it is"}, s.submit)
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/revisions", id: "list-revisions", summary: "List a stack's revisions, newest first", tag: "stacks", permission: engine.MayRead},
		func(ctx context.Context, in *struct {
			StackPath
			PageQuery
		}) (*body[client.List[client.Revision]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			revs, err := s.Store.Revisions(ctx, in.Stack, in.engine())
			if err != nil {
				return nil, err
			}
			return paged(revs, in.PageQuery, revisionJSON, func(r *engine.Revision) string { return strconv.Itoa(r.Number) }), nil
		})
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/revisions/{number}", id: "get-revision", summary: "Read a revision", tag: "stacks", permission: engine.MayRead},
		func(ctx context.Context, in *RevisionPath) (*body[client.Revision], error) {
			rev, err := s.Store.Revision(ctx, in.Stack, in.Number)
			if err != nil {
				return nil, err
			}
			return answer(revisionJSON(rev), nil)
		})
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/revisions/{number}/sources", id: "get-sources", summary: "Download a revision's sources, a tar.gz", tag: "stacks", permission: engine.MayRead, gives: aBundle},
		func(ctx context.Context, in *RevisionPath) (*file, error) {
			rev, err := s.Store.Revision(ctx, in.Stack, in.Number)
			if err != nil {
				return nil, err
			}
			return &file{Type: "application/gzip", Body: rev.Sources}, nil
		})
}

// RevisionPath is a request about one revision.
type RevisionPath struct {
	StackPath
	Number int `path:"number"`
}

// file is an answer that is not JSON.
type file struct {
	Type string `header:"Content-Type" hidden:"true"`
	Body []byte
}

// submissionBody describes the forms that a revision may come in.
func (s *server) submissionBody() *huma.RequestBody {
	file := &huma.Schema{Type: "string", Format: "binary", Description: "A tar.gz with stack.hcl at its top."}
	text := &huma.Schema{Type: "string"}
	variables := &huma.Schema{Type: "string", Description: "JSON object of values by name."}
	form := &huma.Schema{Type: "object", Required: []string{"bundle"}, Properties: map[string]*huma.Schema{"bundle": file, "variables": variables, "message": text}}
	files := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[client.SubmitFiles](), true, "SubmitFiles")
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: files}, "multipart/form-data": {Schema: form}, "application/gzip": {Schema: file},
	}}
}

type submission struct {
	StackPath
	Type    string `header:"Content-Type" hidden:"true"`
	DryRun  bool   `query:"dry_run" doc:"Check only; store nothing."`
	Upgrade bool   `query:"upgrade" doc:"Choose the versions of modules from registries anew."`
	Message string `query:"message"`
	RawBody []byte `contentType:"application/gzip"`
}

func (s *server) submit(ctx context.Context, in *submission) (*body[client.Revision], error) {
	sub, err := s.readSubmission(in)
	if err != nil {
		return nil, err
	}
	take := s.Stacks.Submit
	if in.DryRun {
		take = s.Stacks.Check
	}
	rev, err := take(ctx, me(ctx), sub)
	if err != nil {
		return nil, err
	}
	return answer(revisionJSON(rev), nil)
}

// readSubmission takes a revision in any of the forms it may come in.
func (s *server) readSubmission(in *submission) (engine.Submission, error) {
	sub := engine.Submission{Stack: in.Stack, Message: in.Message, Upgrade: in.Upgrade}
	kind, params, err := mime.ParseMediaType(in.Type)
	if err != nil {
		return sub, engine.Invalid("the Content-Type %q cannot be read", in.Type)
	}
	switch kind {
	case "application/gzip", "application/x-gzip", "application/octet-stream":
		sub.Sources = in.RawBody
	case "multipart/form-data":
		return sub, readForm(&sub, in.RawBody, params["boundary"])
	case "application/json":
		return sub, s.readFiles(&sub, in.RawBody)
	default:
		return sub, engine.Invalid("a revision is application/json, multipart/form-data or application/gzip, not %s", kind)
	}
	return sub, nil
}

func (s *server) readFiles(sub *engine.Submission, raw []byte) error {
	var in client.SubmitFiles
	if err := json.Unmarshal(raw, &in); err != nil {
		return engine.Invalid("the body is not the JSON of a revision: %v", err)
	}
	if len(in.Files) == 0 {
		return engine.Invalid("files is empty; send at least stack.hcl")
	}
	files := make(map[string][]byte, len(in.Files))
	for name, text := range in.Files {
		files[name] = []byte(text)
	}
	var err error
	sub.Sources, err = s.PackFiles(files)
	sub.Variables, sub.Message = in.Variables, in.Message
	return err
}

func readForm(sub *engine.Submission, raw []byte, boundary string) error {
	form := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return engine.Invalid("the form cannot be read: %v", err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return engine.Invalid("the form cannot be read: %v", err)
		}
		if err := readPart(sub, part.FormName(), content); err != nil {
			return err
		}
	}
	if sub.Sources == nil {
		return engine.Invalid("the form has no part named bundle with the tar.gz")
	}
	return nil
}

func readPart(sub *engine.Submission, name string, content []byte) error {
	switch name {
	case "bundle":
		sub.Sources = content
	case "message":
		sub.Message = string(content)
	case "variables":
		if err := json.Unmarshal(content, &sub.Variables); err != nil {
			return engine.Invalid("variables are a JSON object of values by name: %v", err)
		}
	default:
		return engine.Invalid("the form has a part named %q; there are bundle, variables and message", name)
	}
	return nil
}
