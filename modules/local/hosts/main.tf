# Hosts that are all this machine: an inventory for trying out playbooks
# without a cloud.

resource "terraform_data" "host" {
  for_each = toset(var.names)

  input = {
    name    = each.key
    address = "127.0.0.1"
  }
}
