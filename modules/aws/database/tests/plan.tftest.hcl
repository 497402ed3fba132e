mock_provider "aws" {}

variables {
  name       = "payments"
  network_id = "vpc-11111111"
  subnet_ids = ["subnet-11111111", "subnet-22222222"]
}

run "is_safe_by_default" {
  command = plan

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "the database is open or not encrypted"
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.backup_retention_period == 7
    error_message = "the database is not kept from being lost"
  }
  assert {
    condition     = aws_db_instance.this.iam_database_authentication_enabled
    error_message = "roles cannot log in"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 0
    error_message = "rules are ${jsonencode(keys(aws_vpc_security_group_ingress_rule.this))}"
  }
}

run "takes_a_version_that_is_given" {
  command = plan

  variables {
    engine_version = "16.8"
  }

  assert {
    condition     = aws_db_instance.this.engine_version == "16.8" && aws_db_parameter_group.this.family == "postgres16"
    error_message = "version is ${aws_db_instance.this.engine_version} of ${aws_db_parameter_group.this.family}"
  }
}

run "makes_a_mysql_that_forces_tls" {
  command = plan

  variables {
    engine = "mysql"
  }

  assert {
    condition     = output.port == 3306 && aws_db_parameter_group.this.family == "mysql8.4" && aws_db_parameter_group.this.name == "payments-mysql8-4"
    error_message = "family is ${aws_db_parameter_group.this.family} at port ${output.port}"
  }
  assert {
    condition     = [for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"] == ["require_secure_transport=1"]
    error_message = "settings are ${jsonencode(aws_db_parameter_group.this.parameter)}"
  }
}

run "watches_queries_where_the_machine_has_room" {
  command = plan

  variables {
    size              = "large"
    encryption_key_id = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.performance_insights_kms_key_id == var.encryption_key_id
    error_message = "queries are not watched, or not encrypted with the key"
  }
}

run "watches_no_queries_on_a_small_machine" {
  command = plan

  assert {
    condition     = !aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.instance_class == "db.t4g.small"
    error_message = "queries are watched on ${aws_db_instance.this.instance_class}"
  }
}

run "refuses_a_mysql_whose_settings_it_cannot_name" {
  command = plan

  variables {
    engine         = "mysql"
    engine_version = "8"
  }

  expect_failures = [aws_db_parameter_group.this]
}

run "refuses_a_name_with_two_dashes_in_a_row" {
  command = plan

  variables {
    name = "payments--eu"
  }

  expect_failures = [var.name]
}

run "refuses_an_engine_it_does_not_know" {
  command = plan

  variables {
    engine = "oracle"
  }

  expect_failures = [var.engine]
}

run "refuses_a_version_that_is_a_word" {
  command = plan

  variables {
    engine_version = "latest"
  }

  expect_failures = [var.engine_version]
}

run "refuses_a_size_it_does_not_know" {
  command = plan

  variables {
    size = "gigantic"
  }

  expect_failures = [var.size]
}

run "refuses_a_disk_that_is_too_small" {
  command = plan

  variables {
    storage_gb = 5
  }

  expect_failures = [var.storage_gb]
}

run "refuses_a_database_with_a_dash" {
  command = plan

  variables {
    database = "my-app"
  }

  expect_failures = [var.database]
}

run "refuses_a_user_that_the_cloud_keeps_to_itself" {
  command = plan

  variables {
    username = "rdsadmin"
  }

  expect_failures = [var.username]
}

run "refuses_to_stand_in_one_zone" {
  command = plan

  variables {
    subnet_ids = ["subnet-11111111"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_block_that_is_none" {
  command = plan

  variables {
    allowed_cidrs = ["10.20.128.0"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "refuses_to_go_without_backups" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}
