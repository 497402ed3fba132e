resource "azurerm_public_ip" "egress" {
  count = var.private_egress ? 1 : 0

  name                = "${var.name}-egress"
  resource_group_name = local.group
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

# One gateway serves every zone: the cheap way, which stops with its zone.
resource "azurerm_nat_gateway" "egress" {
  count = var.private_egress ? 1 : 0

  name                = "${var.name}-egress"
  resource_group_name = local.group
  location            = local.location
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "egress" {
  count = var.private_egress ? 1 : 0

  nat_gateway_id       = azurerm_nat_gateway.egress[0].id
  public_ip_address_id = azurerm_public_ip.egress[0].id
}

resource "azurerm_subnet_nat_gateway_association" "private" {
  count = var.private_egress ? length(local.private) : 0

  subnet_id      = azurerm_subnet.private[count.index].id
  nat_gateway_id = azurerm_nat_gateway.egress[0].id
}
