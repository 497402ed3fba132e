output "network_id" {
  description = "Identifier of the network."
  value       = azurerm_virtual_network.this.id
}

output "cidr" {
  description = "Address block of the network."
  value       = one(azurerm_virtual_network.this.address_space)
}

output "zones" {
  description = "Names of the zones in use."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Identifiers of the public subnets, given out once their security group is on them."
  value       = [for i, s in azurerm_subnet.public : azurerm_subnet_network_security_group_association.public[i].subnet_id]
}

output "private_subnet_ids" {
  description = "Identifiers of the private subnets, given out once their security group is on them."
  value       = [for i, s in azurerm_subnet.private : azurerm_subnet_network_security_group_association.private[i].subnet_id]
}

output "security_group_id" {
  description = "Identifier of the security group with the rules of ingress."
  value       = azurerm_network_security_group.this.id
}
