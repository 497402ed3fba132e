# Taken from the input, not the output, which Terraform knows only after apply:
# so a play on these hosts can be previewed before they are made.
output "hosts" {
  description = "The hosts as an inventory takes them, in the order of names; known when planning."
  value = [for name in var.names : {
    name     = name
    address  = terraform_data.host[name].input.address
    vars     = merge(var.vars, { ansible_connection = "local" })
    resource = "terraform_data.host[\"${name}\"]"
  }]
}
