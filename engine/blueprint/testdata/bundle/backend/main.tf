terraform {
  backend "s3" { # ERROR: Module with a backend of its own
    bucket = "b"
  }
}
