#!/bin/sh
# packaging/macos/keychain.sh {make|remove} FILE [--dry-run]: a keychain of its own, for a release on a computer that is
# thrown away afterwards. It holds the certificate, and what notarytool signs in with under the name "lab-desktop".
#
# From the environment: CERTIFICATE_P12 (base64), CERTIFICATE_PASSWORD (letters and digits), API_KEY (the .p8 file's
# text), API_KEY_ID, API_ISSUER. Secrets reach `security` on its standard input, for arguments are seen by all processes.
set -eu
umask 077

usage() {
    echo "usage: packaging/macos/keychain.sh {make|remove} FILE [--dry-run]" >&2
    exit 2
}

if [ $# -lt 2 ] || [ $# -gt 3 ]; then usage; fi
keychain=$2
case "${3-}" in
    "") is_dry=false ;;
    --dry-run) is_dry=true ;;
    *) usage ;;
esac

run() {
    if $is_dry; then echo "  \$ $*"; else "$@"; fi
}

remove() {
    if $is_dry || [ -e "$keychain" ]; then run security delete-keychain "$keychain"; fi
}

clean_up() {
    status=$?
    rm -rf "$folder"
    if [ "$status" -ne 0 ]; then remove || true; fi
    exit "$status"
}

make() {
    : "${CERTIFICATE_P12:?is missing}" "${CERTIFICATE_PASSWORD:?is missing}"
    : "${API_KEY:?is missing}" "${API_KEY_ID:?is missing}" "${API_ISSUER:?is missing}"
    case "$CERTIFICATE_PASSWORD" in *[!A-Za-z0-9]*)
        echo "CERTIFICATE_PASSWORD may have letters and digits only." >&2
        exit 1
        ;;
    esac
    if $is_dry; then
        echo "  \$ security -i    # create-keychain, unlock-keychain, import, set-key-partition-list"
    else
        folder=$(mktemp -d)
        trap clean_up EXIT
        trap 'exit 130' INT TERM
        printf '%s' "$CERTIFICATE_P12" | base64 --decode >"$folder/certificate.p12"
        printf '%s\n' "$API_KEY" >"$folder/key.p8"
        password=$(openssl rand -hex 24)
        security -i <<EOF
create-keychain -p $password "$keychain"
set-keychain-settings -lut 21600 "$keychain"
unlock-keychain -p $password "$keychain"
import "$folder/certificate.p12" -k "$keychain" -P $CERTIFICATE_PASSWORD -f pkcs12 -T /usr/bin/codesign
set-key-partition-list -S apple-tool:,apple: -s -k $password "$keychain"
EOF
    fi
    run security list-keychains -d user -s "$keychain" login.keychain-db
    if ! $is_dry && ! security find-identity -v -p codesigning "$keychain" | grep -q "Developer ID Application"; then
        echo "The certificate is none for Developer ID Application, or its password is another." >&2
        exit 1
    fi
    run xcrun notarytool store-credentials lab-desktop --key "${folder-FOLDER}/key.p8" --key-id "$API_KEY_ID" \
        --issuer "$API_ISSUER" --keychain "$keychain"
}

case "$1" in
    make) make ;;
    remove) remove ;;
    *) usage ;;
esac
