"""One small contract as its author writes it; a test changes only the lines it is about."""

from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.source_contract import SourceContract

FILE = "contracts/shop.odcs.yaml"

TEXT = """\
apiVersion: v3.2.0
kind: DataContract
id: shop
version: 1.2.0
status: active
name: Shop customers
domain: sales
description: {purpose: Orders}
team:
  members:
    - {username: former@example.org, role: owner, dateOut: '2020-01-01'}
    - {username: owner@example.org, role: owner}
servers:
  - {server: production, type: local, path: data/shop/*.csv, format: csv}
slaProperties:
  - {property: frequency, value: 2, unit: d}
schema:
  - name: customers
    logicalType: object
    properties:
      - name: id
        primaryKey: true
        customProperties: [{property: attribute, value: source_key}]
      - name: customer
        required: true
        classification: PII
        criticalDataElement: true
        businessName: Customer
        customProperties: [{property: attribute, value: full_name}]
      - name: mobile
        logicalTypeOptions: {minLength: 7, maxLength: 20, pattern: '^[0-9+() -]+$'}
        customProperties: [{property: attribute, value: phone}]
      - name: landline
        customProperties: [{property: attribute, value: phone}]
      - name: born
        logicalType: date
        logicalTypeOptions: {format: MM/dd/yyyy, minimum: '1900-01-01'}
        customProperties: [{property: attribute, value: birth_date}]
      - name: passport_no
        physicalName: PASSPORT
        unique: true
        customProperties:
          - {property: attribute, value: national_id}
          - {property: scheme, value: passport}
          - {property: issuer, value: GB}
      - name: status
        enum: [{value: 01}, {value: yes}]
        customProperties: [{property: attribute, value: consent}]
      - name: notes
        required: true
    quality:
      - {type: library, metric: rowCount, mustBeGreaterThan: 0, severity: error}
customProperties:
  - {property: trust, value: 0.9}
  - {property: trust.birth_date, value: 0.5}
  - {property: legal_basis, value: contract}
  - {property: extract, value: changes}
"""


def changed(*replacements: tuple[str, str]) -> str:
    """Return the contract's text with each old piece, which must be there, replaced by the new one."""
    text = TEXT
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def contract(*replacements: tuple[str, str]) -> SourceContract:
    """Return the contract, read."""
    return parse_contract(changed(*replacements), file=FILE)


def line_of(piece: str, text: str) -> int:
    """Return the line, counted from 1, on which ``piece`` begins."""
    return text[: text.index(piece)].count("\n") + 1
