stack "cycle" {}

terraform "a" { # ERROR: Cycle
  source = "modules/local/greeting"
  inputs = { name = terraform.b.outputs.message }
}

terraform "b" {
  source     = "modules/local/greeting"
  depends_on = [ansible.c]
}

ansible "c" {
  playbook = "playbooks/baseline"
  vars     = { x = terraform.a.outputs.message }
}
