mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
}

variables {
  name = "payments"
}

run "refuses_a_block_that_is_none" {
  command = plan

  variables {
    cidr = "10.20.0.0"
  }

  expect_failures = [var.cidr]
}

run "refuses_a_block_whose_address_is_inside_it" {
  command = plan

  variables {
    cidr = "10.20.3.4/16"
  }

  expect_failures = [var.cidr]
}

run "refuses_a_block_too_small_for_subnets" {
  command = plan

  variables {
    cidr = "10.20.0.0/28"
  }

  expect_failures = [var.cidr]
}

run "refuses_more_zones_than_the_region_has" {
  command = plan

  variables {
    zones = 4
  }

  expect_failures = [aws_vpc.this]
}

run "refuses_a_way_out_without_a_public_subnet" {
  command = plan

  variables {
    public_subnets = []
    private_egress = true
  }

  expect_failures = [aws_nat_gateway.egress]
}

run "refuses_a_port_out_of_range" {
  command = plan

  variables {
    ingress = [{ port = 70000, cidrs = ["0.0.0.0/0"] }]
  }

  expect_failures = [var.ingress]
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "Payments"
  }

  expect_failures = [var.name]
}
