package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// deviceRoutes let command lines in that have no browser. Source: RFC 8628,
// with JSON in place of forms.
func (s *server) deviceRoutes() {
	handle(s, operation{method: "POST", path: "/v1/login/device", id: "begin-device", summary: "Ask to be let in by somebody with a browser", tag: "access"}, s.beginDevice)
	handle(s, operation{method: "POST", path: "/v1/login/device/token", id: "redeem-device", summary: "Get an API token once somebody has confirmed the code", tag: "access"}, s.redeemDevice)
}

func (s *server) beginDevice(ctx context.Context, in *struct{ Body client.BeginDevice }) (*body[client.DeviceLogin], error) {
	if err := s.logins.check("", engine.OriginFrom(ctx).Address); err != nil {
		return nil, err
	}
	code, d, err := s.Access.BeginDevice(ctx, in.Body.Client)
	if err != nil {
		return nil, err
	}
	return answer(client.DeviceLogin{DeviceCode: code.Reveal(), UserCode: d.UserCode(), Path: "/device", CompletePath: "/device?code=" + d.UserCode(),
		ExpiresIn: int(engine.DeviceLife.Seconds()), Interval: int(engine.DeviceInterval.Seconds())}, nil)
}

func (s *server) redeemDevice(ctx context.Context, in *struct{ Body client.RedeemDevice }) (*body[client.NewToken], error) {
	secret, t, err := s.Access.RedeemDevice(ctx, engine.Secret(in.Body.DeviceCode))
	var why *engine.DeviceError
	if errors.As(err, &why) {
		return nil, coded(http.StatusBadRequest, why.Code, err.Error())
	}
	return newToken(secret, t, err)
}
