package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) hostRoutes() {
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/hosts", id: "list-hosts", summary: "List the machines that a stack's playbooks were run on", tag: "hosts", permission: engine.MayRead},
		func(ctx context.Context, in *struct {
			StackPage
			Retired bool `query:"retired" doc:"Those that are gone, too."`
		}) (*body[client.List[client.Host]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			hosts, err := s.Store.HostPage(ctx, in.Stack, in.Retired, in.engine())
			return listed(hosts, err, in.PageQuery, hostJSON, func(h *engine.KnownHost) string { return h.ID })
		})
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/hosts/{host}/forget-key", id: "forget-host-key", summary: "Forget a host's SSH keys; the next play takes those that it shows then", tag: "hosts", permission: engine.MayApprove},
		func(ctx context.Context, in *struct {
			StackPath
			Host string `path:"host"`
			Body client.Reason
		}) (*none, error) {
			return &none{}, s.Stacks.ForgetHostKeys(ctx, me(ctx), in.Stack, in.Host, in.Body.Reason)
		})
}
