package api

import (
	"net"

	"github.com/gin-gonic/gin"
)

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
