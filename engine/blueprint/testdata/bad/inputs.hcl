stack "inputs" {}

terraform "missing" {
  source = "modules/aws/network"
  inputs = { cidr = "10.0.0.0/8" } # ERROR: Missing input
}

terraform "none" { # ERROR: Missing input
  source = "modules/aws/network"
}

terraform "wrong" {
  source = "modules/aws/network"
  inputs = {
    name    = ["a"] # ERROR: Wrong type
    cdir    = "x"   # ERROR: Unknown input
    cidr    = "10.0.0.0/8"
    zones   = { a = 1 }                       # ERROR: Wrong type
    subnets = { a = { bits = "many" } }       # ERROR: Wrong type
    name    = "twice"                         # ERROR: Duplicate name
  }
}

terraform "text" {
  source = "modules/local/greeting"
  inputs = "name" # ERROR: Wrong type
}

terraform "shipped" {
  source = "modules/aws/netwrok" # ERROR: Unknown module
}

terraform "folder" {
  source = "./wbe" # ERROR: Unknown module
}

terraform "outside" {
  source = "../web" # ERROR: Unusable source
}

terraform "registry" {
  source = "terraform-aws-modules/vpc/aws" # ERROR: Module cannot be fetched
}

terraform "github" {
  source = "github.com/a/b" # ERROR: Unusable source
}

terraform "ssh" {
  source = "git::ssh://git@example.com/a.git" # ERROR: Unusable source
}

terraform "token" {
  source = "git::https://user:token@example.com/a.git" # ERROR: Unusable source
}

terraform "backend" {
  source = "./backend"
}

terraform "broken" {
  source = "./broken"
}

terraform "lost" {
  source = "./lost"
}
