"""Our BFCP vectors as Wireshark's dissector reads them

It agrees with RFC 8855 up to primitive 14.  After that it has an ErrorAck of
its own at 15, so that FloorStatusAck and Goodbye are one too high: those three
are checked for their form alone.
"""
import os
import shutil
import socket
import struct
import subprocess

import lib
from lib import Skip, check, note

PORT = 5070
CORPUS = os.path.join(lib.TOP, 'tests', 'fuzz', 'corpus', 'bfcp')

# file, name, and fields of the message
VECTORS = (
    ('floor-request', 'FloorRequest (1)',
     {'attribute_type': '2,2,1,8,4', 'floor_id': '1,2',
      'beneficiary_id': '9', 'part_prov_info_text': 'Q about budget'}),
    ('floor-release', 'FloorRelease (2)', {'floorrequest_id': '21'}),
    ('floor-request-query', 'FloorRequestQuery (3)', {'floorrequest_id': '21'}),
    ('floor-request-status', 'FloorRequestStatus (4)',
     {'attribute_type': '15,18,5,9,17,5,17,14,12,13,16,12,4,8',
      'request_status': '2,3', 'queue_pos': '3,0', 'status_info_text': 'wait!',
      'user_disp_name': 'Bob,Ann', 'user_uri': 'sip:b@x.org/'}),
    ('user-query', 'UserQuery (5)', {'beneficiary_id': '9'}),
    ('user-status', 'UserStatus (6)', {'attribute_type': '14,12,15,17'}),
    ('floor-query', 'FloorQuery (7)', {'floor_id': '1,2'}),
    ('floor-status', 'FloorStatus (8)', {'request_status': '3,1'}),
    ('chair-action', 'ChairAction (9)', {'request_status': '4'}),
    ('chair-action-ack', 'ChairActionAck (10)', {}),
    ('hello', 'Hello (11)', {}),
    ('hello-ack', 'HelloAck (12)',
     {'supp_primitive': ','.join(map(str, range(1, 14))),
      'supp_attr': ','.join(map(str, range(1, 19)))}),
    ('error', 'Error (13)', {'error_code': '4'}),
    ('floor-request-status-ack', 'FloorRequestStatusAck (14)', {}),
    ('floor-status-ack', None, {}),
    ('goodbye', None, {}),
    ('goodbye-ack', None, {}),
)


def write_pcap(path):
    ip = socket.inet_aton('127.0.0.1')
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i, (name, _, _) in enumerate(VECTORS):
            with open(os.path.join(CORPUS, name), 'rb') as v:
                msg = v.read()[1:]      # the first byte is the fuzz target's
            pkt = struct.pack('>BBHHHBBH', 0x45, 0, 28 + len(msg), i, 0, 64, 17,
                              0) + ip + ip
            pkt += struct.pack('>HHHH', 40000, PORT, 8 + len(msg), 0) + msg
            f.write(struct.pack('<IIII', i, 0, len(pkt), len(pkt)) + pkt)


def tshark(pcap, *args):
    r = subprocess.run(['tshark', '-n', '-r', pcap, '-d',
                        'udp.port==%d,bfcp' % PORT, *args],
                       capture_output=True, text=True, timeout=60)
    check(r.returncode == 0, 'tshark: ' + r.stderr)
    return r.stdout


def main(env):
    if not shutil.which('tshark'):
        raise Skip('no tshark')
    pcap = env.path('vectors.pcap')
    write_pcap(pcap)
    check(not tshark(pcap, '-Y', '_ws.malformed || bfcp.attribute_length.too_small'),
          'malformed, says tshark')
    names = [li.split('Primitive: ')[1] for li in
             tshark(pcap, '-V').splitlines()
             if li.startswith('    Primitive: ')]
    check(len(names) == len(VECTORS), 'messages: %s' % names)
    for i, (name, title, fields) in enumerate(VECTORS):
        check(title in (None, names[i]), '%s is %s' % (name, names[i]))
        for field, want in {**fields, 'conference_id': '794427393'}.items():
            got = tshark(pcap, '-Y', 'frame.number == %d' % (i + 1),
                         '-T', 'fields', '-e', 'bfcp.' + field).strip()
            check(got == want, '%s: %s is %s' % (name, field, got))
    note('%d messages read as they were meant' % len(names))


if __name__ == '__main__':
    lib.run(main)
