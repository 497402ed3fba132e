package api

import (
	"net/http"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// Whoever may look at a run could otherwise hold the server's memory by following it.
func TestNobodyHasTooManyRequestsUnderWay(t *testing.T) {
	s := newSystem(t)
	s.server.underway.most = 2
	s.server.permissions["GET /v1/lasts"] = engine.MayRead
	began, end := make(chan struct{}), make(chan struct{})
	s.router.GET("/v1/lasts", func(*gin.Context) { began <- struct{}{}; <-end })
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { s.must(s.send("GET", "/v1/lasts", engine.RoleViewer, nil), http.StatusOK) })
		<-began
	}
	if p := s.send("GET", "/v1/whoami", engine.RoleViewer, nil).problem(t); p.Status != http.StatusTooManyRequests {
		t.Errorf("a third one: %+v", p)
	}
	s.must(s.send("GET", "/v1/whoami", engine.RoleOperator, nil), http.StatusOK)
	close(end)
	all.Wait()
	s.must(s.send("GET", "/v1/whoami", engine.RoleViewer, nil), http.StatusOK)
	if left := len(s.server.underway.of); left != 0 {
		t.Errorf("%d users are counted still", left)
	}
}
