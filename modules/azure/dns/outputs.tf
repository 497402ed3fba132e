output "zone_id" {
  description = "Identifier of the zone."
  value       = one(concat(azurerm_dns_zone.this[*].id, azurerm_private_dns_zone.this[*].id))
}

output "name_servers" {
  description = "Servers that answer for the zone; empty where it is private."
  value       = sort(flatten([for z in azurerm_dns_zone.this : tolist(z.name_servers)]))
}

output "records" {
  description = "Full names of the records by \"name type\"."
  value       = { for r in var.records : trimspace("${r.name} ${r.type}") => r.name == "" ? var.name : "${r.name}.${var.name}" }
}
