package api

// NamePath is a request about one thing with a name.
type NamePath struct {
	Name string `path:"name"`
}

func (s *server) accessRoutes() {
	s.loginRoutes()
	s.deviceRoutes()
	s.sessionRoutes()
	s.signOnRoutes()
	s.tokenRoutes()
	s.userRoutes()
	s.directoryRoutes()
	s.credentialRoutes()
}
