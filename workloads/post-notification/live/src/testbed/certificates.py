"""Makes a certificate authority and a broker's certificate: certificates.py DIRECTORY NAME_OR_ADDRESS...

Writes ca.pem (the authority's certificate; its key is thrown away) and broker.p12 (key and chain)."""

import datetime
import ipaddress
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def subject(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def certificate(name, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(named(name)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365)))


def main():
    directory, names = sys.argv[1], sys.argv[2:]
    # The password comes by standard input: arguments are visible to every user of the machine.
    password = sys.stdin.readline().strip().encode()
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (certificate("matrix testbed CA", named("matrix testbed CA"), ca_key)
          .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
          .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
          .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
          .sign(ca_key, hashes.SHA256()))
    broker = (certificate("matrix testbed broker", ca.subject, key)
              .add_extension(x509.SubjectAlternativeName([subject(name) for name in names]), critical=False)
              .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
              .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
              .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
              .sign(ca_key, hashes.SHA256()))
    with open(os.path.join(directory, "ca.pem"), "wb") as file:
        file.write(ca.public_bytes(Encoding.PEM))
    with open(os.path.join(directory, "broker.p12"), "wb") as file:
        file.write(pkcs12.serialize_key_and_certificates(b"broker", key, broker, [ca],
                                                         BestAvailableEncryption(password)))


main()
