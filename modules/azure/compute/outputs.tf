output "hosts" {
  description = "The machines as an inventory takes them, each with the resource that made it. Their SSH host keys are made at first boot, where no module sees them, and are taken at first sight; a stack that knows them, as from an image or a console, gives them in its inventory: [for h in terraform.compute.outputs.hosts : merge(h, { host_keys = [\"ssh-ed25519 AAAA...\"] })]."
  value = [for i, m in azurerm_linux_virtual_machine.this : {
    name     = m.name
    address  = var.public ? azurerm_public_ip.this[i].ip_address : m.private_ip_address
    user     = local.user
    port     = 22
    resource = "azurerm_linux_virtual_machine.this[${i}]"
  }]
}

output "instance_ids" {
  description = "Identifiers of the machines."
  value       = azurerm_linux_virtual_machine.this[*].id
}

output "private_ips" {
  description = "Addresses of the machines inside the network."
  value       = azurerm_linux_virtual_machine.this[*].private_ip_address
}

output "public_ips" {
  description = "Public addresses of the machines; empty where they have none."
  value       = azurerm_public_ip.this[*].ip_address
}
