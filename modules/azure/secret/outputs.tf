output "secret_id" {
  description = "Identifier of the secret in the cloud."
  value       = azurerm_key_vault_secret.this.versionless_id
}

output "secret_name" {
  description = "Name of the secret; known when planning."
  value       = azurerm_key_vault_secret.this.name
}

output "version" {
  description = "Version of the value, another one after each change."
  value       = azurerm_key_vault_secret.this.version
}
