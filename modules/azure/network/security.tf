locals {
  ingress = {
    for r in flatten([for r in var.ingress : [for c in r.cidrs : merge(r, { cidr = c })]]) :
    "${r.protocol}-${r.port}-${r.cidr}" => r
  }
}

resource "azurerm_network_security_group" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags

  dynamic "security_rule" {
    for_each = local.ingress

    content {
      name                       = replace(security_rule.key, "/", "_")
      description                = security_rule.value.description
      priority                   = 100 + index(keys(local.ingress), security_rule.key)
      direction                  = "Inbound"
      access                     = "Allow"
      protocol                   = title(security_rule.value.protocol)
      source_address_prefix      = security_rule.value.cidr
      source_port_range          = "*"
      destination_address_prefix = "*"
      destination_port_range     = security_rule.value.port
    }
  }

  # Azure refuses the rest as well; said here, rules that were taken out of
  # ingress also leave a group that has no others.
  security_rule {
    name                       = "closed-to-the-internet"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "Internet"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "public" {
  count = length(local.public)

  subnet_id                 = azurerm_subnet.public[count.index].id
  network_security_group_id = azurerm_network_security_group.this.id
}

resource "azurerm_subnet_network_security_group_association" "private" {
  count = length(local.private)

  subnet_id                 = azurerm_subnet.private[count.index].id
  network_security_group_id = azurerm_network_security_group.this.id
}
