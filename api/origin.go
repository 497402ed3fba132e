package api

import (
	"context"
	"net"

	"github.com/gin-gonic/gin"

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

// origin puts the address of the client in place of that of the proxies that the
// operator trusts, as those tell it in X-Forwarded-For. From anybody else that
// header says nothing.
func (s *server) origin(c *gin.Context) {
	if len(s.TrustedProxies) == 0 {
		return
	}
	if ip := c.ClientIP(); ip != "" && ip != c.RemoteIP() {
		c.Request.RemoteAddr = net.JoinHostPort(ip, "0")
	}
}
