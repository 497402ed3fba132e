output "function_name" {
  description = "Name of the function."
  value       = azurerm_linux_function_app.this.name
}

output "function_id" {
  description = "Identifier of the function in the cloud."
  value       = azurerm_linux_function_app.this.id
}

output "url" {
  description = "Address at which everyone can call the function; null where it is not public."
  value       = var.public ? "https://${azurerm_linux_function_app.this.default_hostname}" : null
}

output "role_id" {
  description = "Identifier of what the function runs as (principal of its identity), to grant it more."
  value       = azurerm_user_assigned_identity.this.principal_id
}
