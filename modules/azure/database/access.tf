resource "azurerm_private_endpoint" "this" {
  name                = local.server
  resource_group_name = local.group
  location            = local.location
  subnet_id           = var.subnet_ids[0]
  tags                = var.tags

  private_service_connection {
    name                           = local.server
    private_connection_resource_id = local.id
    subresource_names              = [local.postgres ? "postgresqlServer" : "mysqlServer"]
    is_manual_connection           = false
  }
}

# A zone for this server alone: a network can be linked to only one zone of a
# name, so that of all servers would keep out a second database.
resource "azurerm_private_dns_zone" "this" {
  name                = "${local.server}.privatelink.${local.postgres ? "postgres" : "mysql"}.database.azure.com"
  resource_group_name = local.group
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  name                  = local.server
  resource_group_name   = local.group
  private_dns_zone_name = azurerm_private_dns_zone.this.name
  virtual_network_id    = var.network_id
  tags                  = var.tags
}

resource "azurerm_private_dns_a_record" "this" {
  name                = "@"
  resource_group_name = local.group
  zone_name           = azurerm_private_dns_zone.this.name
  ttl                 = 300
  records             = [azurerm_private_endpoint.this.private_service_connection[0].private_ip_address]
  tags                = var.tags
}
