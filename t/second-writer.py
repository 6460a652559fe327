#!/usr/bin/env python3
"""A second writer of store repositories, written from store-format(5) alone: the oracle of t3900 and t3905.

It makes a repository without db/ from a directory tree: one publication that adds everything (pack, stage record), one
that commits it (pack of nodes, layer, commit; refs.log record).  It shares no code with the C and none with
t/second-reader, so roots on which all three agree follow from the page and from nothing else.

	second-writer.py [options] TREE STORE    writes STORE/.store (STORE absent, or a folder without one)
	second-writer.py [options] TREE          writes nothing

Either way it prints HEIGHT ID SIZE FILES DIRECTORIES of the root.

	--average N          chunk average, default 65536
	--class BELOW:N      class of smaller content; may be given again
	--codec none|zlib    default zlib
	--meta               record mode and time of everything
	--posix              and owner, group and extended attributes
	--no-stage           leave the stage record out
	--list FILE          write KIND HEIGHT ID SIZE PATH of every entry, records ended by NUL
"""

import argparse
import hashlib
import os
import re
import stat
import struct
import sys
import zlib

CHUNK, SEQ, MAP, LAYER, COMMIT, STAGE = 1, 2, 3, 4, 5, 7
DIRECTORY = 3
WHO = b"Second Writer <writer@example.com>"
WHEN = b"1767323045 +0000"


def digest(data):
	return hashlib.sha256(data).digest()


def first8(data):
	return struct.unpack_from("<Q", data)[0]


def leb(n):
	out = []
	while n >= 128:
		out.append(n % 128 + 128)
		n //= 128
	out.append(n)
	return bytes(out)


# Chunks.

def gear_table():
	"""T of the smallest n for which no run of one byte value can ever cut."""
	n = 0
	while True:
		table = [first8(digest(b"store gear" + struct.pack("<IB", n, b))) for b in range(256)]
		if all((2 ** 64 - t) % 2 ** 64 >= 2 ** 64 // 192 for t in table):
			return table
		n += 1


GEAR = gear_table()


def cut(data, average):
	"""Chunks of data in order.

	h doubles with each byte, so after 64 bytes the oldest has left it: the sum may begin 64 bytes before the first
	place where a chunk may end, which is within the chunk, as an average of 256 has a quarter of 64."""
	least, most, limit = average // 4, 4 * average, 2 ** 64 // (average - average // 4)
	gear, mask, start = GEAR, 2 ** 64 - 1, 0
	while start < len(data):
		end = min(start + most, len(data))
		h = 0
		for byte in data[start + least - 64:start + least - 1]:
			h = h * 2 + gear[byte]
		at = start + least - 1
		for byte in data[at:end]:
			at += 1
			h = (h * 2 + gear[byte]) & mask
			if h < limit:
				end = at
				break
		yield data[start:end]
		start = end


class Tree:
	"""Everything that is made of a folder: objects by kind, and the entries for the stage record."""

	def __init__(self, options):
		self.averages = [options.average] + [a for _, a in options.classes]
		self.classes, self.posix, self.meta = options.classes, options.posix, options.meta or options.posix
		self.content, self.nodes, self.kind, self.entries = {}, {}, {}, []

	def put(self, kind, data):
		oid = digest(data)
		where = self.content if kind == CHUNK else self.nodes
		where.setdefault(oid, data)
		self.kind.setdefault(oid, kind)
		return oid

	def klass(self, size):
		for n, (below, _) in enumerate(self.classes, 1):
			if size < below:
				return n
		return 0

	def file(self, data):
		"""(height, id) of content."""
		if not data:
			return 0, digest(b"")
		rows = []
		for chunk in cut(data, self.averages[self.klass(len(data))]):
			add_run(rows, self.put(CHUNK, chunk), len(chunk))
		height = 0
		while len(rows) > 1 or rows[0][2] > 1:
			height += 1
			rows = self.seq_level(rows, height)
		return height, rows[0][0]

	def seq_level(self, rows, height):
		above, node = [], []
		for n, row in enumerate(rows):
			node.append(row)
			short = first8(row[0]) < 2 ** 57 and len(node) >= 16
			if short or len(node) == 1024 or n == len(rows) - 1:
				data = b"SQ\x01" + bytes([height]) + leb(len(node))
				for oid, length, repeat in node:
					data += oid + leb(length) + leb(repeat)
				add_run(above, self.put(SEQ, data), sum(length * repeat for _, length, repeat in node))
				node = []
		return above

	def map(self, kind, items, constant):
		"""(height, id) of a map; items: (key, value, what a parent value adds up)."""
		lev = 0
		while True:
			above, node, weight = [], [], 0
			for n, (key, value, sums) in enumerate(items):
				before, weight = weight, weight + 8 + len(key) + constant
				node.append((key, value, sums))
				h = first8(digest(bytes([lev]) + key)) >> 16
				ends = h < weight ** 4 - before ** 4 or weight >= 12288
				if lev > 0 and len(node) == 1:
					ends = False
				if ends or n == len(items) - 1:
					above.append(self.map_node(kind, lev, node))
					node, weight = [], 0
			if not items:
				return 0, digest(b"MP\x01" + bytes([kind, 0, 0]))
			if len(above) == 1:
				return lev, above[0][1][:32]
			items, lev = above, lev + 1

	def map_node(self, kind, lev, node):
		data = b"MP\x01" + bytes([kind, lev]) + leb(len(node))
		for key, value, _ in node:
			data += leb(len(key)) + key + value
		sums = [sum(column) for column in zip(*(s for _, _, s in node))]
		return node[-1][0], self.put(MAP, data) + b"".join(leb(s) for s in sums), sums

	def attributes(self, path, st):
		"""The meta leaf value of a path, without a child map."""
		if not self.posix:
			return meta_value(st) if self.meta else b""
		value = bytes([3]) + meta_value(st)[1:] + leb(st.st_uid) + leb(st.st_gid)
		names = sorted(os.fsencode(n) for n in os.listxattr(path, follow_symlinks=False) if RECORDED.match(n))
		if not names:
			return value
		data = b"XA\x01" + leb(len(names))
		for name in names:
			content = os.getxattr(path, name, follow_symlinks=False)
			data += leb(len(name)) + name + leb(len(content)) + content
		return bytes([7]) + value[1:] + self.put(CHUNK, data) + b"\0" + leb(len(data))

	def directory(self, path, key):
		"""The entry of a folder (height, id, size, files, directories), and its meta map (height, id)."""
		items, metas, sums = [], [], [0, 0, 0]
		for name in sorted(os.listdir(path)):
			if name in (b".store", b".git"):
				continue
			full, place = path + b"/" + name, key + name
			st = os.lstat(full)
			child = None
			if stat.S_ISDIR(st.st_mode):
				kind, at = DIRECTORY, len(self.entries)
				self.entries.append(None)
				(height, oid, size, files, directories), child = self.directory(full, place + b"\0")
				tail, add = leb(files) + leb(directories), [size, files, directories + 1]
			elif stat.S_ISLNK(st.st_mode):
				target, at = os.readlink(full), -1
				kind, height, oid, size = 4, 0, self.put(CHUNK, target), len(target)
			elif stat.S_ISREG(st.st_mode):
				with open(full, "rb") as f:
					data = f.read()
				kind, at = 2 if st.st_mode & 0o100 else 1, -1
				(height, oid), size = self.file(data), len(data)
			else:
				continue
			if kind != DIRECTORY:
				tail, add = b"", [size, 1, 0]
			attributes = self.attributes(full, st)
			entry = (place, kind, height, oid, size, attributes)
			if at < 0:
				self.entries.append(entry)
			else:
				self.entries[at] = entry
			items.append((name, bytes([kind, height]) + oid + leb(size) + tail, add))
			if self.meta:
				metas.append((name, with_child(attributes, child), [1]))
			sums = [a + b for a, b in zip(sums, add)]
		if self.meta and not key:
			metas.insert(0, (b"", self.attributes(path, os.lstat(path)), [1]))
		height, oid = self.map(1, items, 48)
		return (height, oid) + tuple(sums), self.map(3, metas, 48)


def add_run(rows, oid, length):
	if rows and rows[-1][:2] == (oid, length):
		rows[-1] = (oid, length, rows[-1][2] + 1)
	else:
		rows.append((oid, length, 1))


RECORDED = re.compile(r"(user|trusted)\..|security\.capability$|system\.posix_acl_(access|default)$")


def meta_value(st):
	seconds, nanoseconds = divmod(st.st_mtime_ns, 10 ** 9)
	zigzag = 2 * seconds if seconds >= 0 else -2 * seconds - 1
	return b"\x01" + leb(st.st_mode & 0o7777) + leb(zigzag) + leb(nanoseconds)


def with_child(value, child):
	if not child or child[1] == digest(b"MP\x01\x03\x00\x00"):
		return value
	return bytes([value[0] | 8]) + value[1:] + child[1] + bytes([child[0]])


# Packs.

def crc_table():
	table = []
	for n in range(256):
		for _ in range(8):
			n = n // 2 ^ 0x82F63B78 if n % 2 else n // 2
		table.append(n)
	return table


CRC_TABLE = crc_table()


def crc32c(data):
	table, crc = CRC_TABLE, 0xFFFFFFFF
	for byte in data:
		crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
	return crc ^ 0xFFFFFFFF


class PackFile:
	def __init__(self, codec):
		self.codec, self.body, self.rows, self.ids = codec, [b"STPK" + struct.pack("<I", 1) + bytes(24)], [], {}
		self.size = 32

	def block(self, klass, objects):
		"""objects: (id, kind, bytes)"""
		table = b"".join(leb(len(data)) for _, _, data in objects)
		plain = b"".join(data for _, _, data in objects)
		stored = zlib.compress(plain, 6) if self.codec else plain
		codec = self.codec
		if len(plain) > 1100 * len(stored):
			stored, codec = plain, 0
		head = b"STBK" + struct.pack("<BBBBIIIII", codec, 0, klass, 0, len(plain), len(stored), len(objects), len(table), 0)
		crc = crc32c(head + table + stored)
		offset = 0
		for oid, kind, data in objects:
			self.ids[oid] = (len(self.rows), offset, kind << 24 | len(data))
			offset += len(data)
		length = 32 + len(table) + len(stored)
		self.rows.append(struct.pack("<QIII", self.size, length, len(plain), crc))
		self.body.append(head + struct.pack("<I", crc) + table + stored)
		self.size += length

	def add(self, klass, objects, target):
		group, size = [], 0
		for obj in objects:
			if group and size + len(obj[2]) > target:
				self.block(klass, group)
				group, size = [], 0
			group.append(obj)
			size += len(obj[2])
		if group:
			self.block(klass, group)

	def finish(self):
		footer = b"STFT" + struct.pack("<III", 1, len(self.rows), len(self.ids)) + b"".join(self.rows)
		for first in range(256):
			footer += struct.pack("<I", sum(oid[0] <= first for oid in self.ids))
		footer += b"".join(oid + struct.pack("<III", *self.ids[oid]) for oid in sorted(self.ids))
		footer += struct.pack("<QQQ", self.size, 0, 0)
		return b"".join(self.body) + footer + digest(footer) + b"STEND001"


def publish(store, publication, pack):
	name = "%016x-%s" % (publication, os.urandom(16).hex())
	with open(os.path.join(store, "packs", name), "wb") as f:
		f.write(pack.finish())


def stage_record(tree, root):
	out = b"SR\x01" + leb(len(tree.entries) + 1)
	out += b"\x01\x00" + bytes([DIRECTORY]) + leb(len(root)) + root
	for path, kind, height, oid, size, meta in tree.entries:
		out += b"\x01" + leb(len(path)) + path + bytes([kind])
		if kind != DIRECTORY:
			out += bytes([tree.klass(size), height]) + oid + leb(size)
		out += leb(len(meta)) + meta
	return out


def history(tree, root, meta):
	"""Id of the one commit; it and its layer become objects."""
	height, oid, size, files, directories = root
	changes_height, changes = tree.map(2, [(b"", bytes([1, 0, DIRECTORY]), [1])], 16)
	layer = "store layer 1\ngeneration 0\nroot %s %d\nchanges %s %d\nfiles %d\ndirectories %d\nbytes %d\n" % (
		oid.hex(), height, changes.hex(), changes_height, files, directories, size)
	layer += "added %d\nmodified 0\ndeleted 0\n" % files
	text = b"store commit 1\nlayer " + tree.put(LAYER, layer.encode()).hex().encode() + b"\n"
	for role in b"author", b"committer":
		text += role + b" " + WHO + b" " + WHEN + b"\n"
	if meta:
		text += b"meta " + meta[1].hex().encode() + b" %d\n" % meta[0]
	return tree.put(COMMIT, text + b"\none\n")


def write_texts(store, options, commit):
	text = "chunking %d\n" % options.average + "".join("class %d %d\n" % c for c in options.classes)
	with open(os.path.join(store, "format"), "w", encoding="ascii") as f:
		f.write("store format 1\nincompatible %s\nread-only-compatible %s\ncompatible %s\nhash sha256\n" % (("0" * 16,) * 3))
		f.write(text + "parameters %s\n" % digest(text.encode()).hex())
	with open(os.path.join(store, "refs.log"), "wb") as f:
		f.write(b"store refs 1\n")
		for lines in (
			[b"record 1 " + WHEN + b" " + WHO, b"ref HEAD - ref:refs/heads/main", b"why init"],
			[b"record 3 " + WHEN + b" " + WHO, b"ref refs/heads/main - " + commit.hex().encode(), b"why commit: one"]):
			record = b"".join(line + b"\n" for line in lines)
			f.write(record + b"end " + digest(record).hex()[:16].encode() + b"\n")


def write(options, tree, root, meta):
	store = os.path.join(options.store, ".store")
	os.makedirs(os.path.join(store, "packs"))
	commit = history(tree, root, meta if tree.meta else None)
	codec = {"none": 0, "zlib": 1}[options.codec]
	pack = PackFile(codec)
	pack.add(1, [(oid, CHUNK, data) for oid, data in tree.content.items()], 256 << 10)
	if options.stage:
		record = stage_record(tree, tree.attributes(options.tree, os.lstat(options.tree)))
		pack.add(3, [(digest(record), STAGE, record)], 0)
	if pack.rows:
		publish(store, 2, pack)
	pack = PackFile(codec)
	# Content may have the bytes of a node; its object is there already then.
	pack.add(2, [(oid, tree.kind[oid], data) for oid, data in tree.nodes.items() if oid not in tree.content], 64 << 10)
	publish(store, 3, pack)
	write_texts(store, options, commit)


def main():
	def klass(text):
		below, average = text.split(":")
		return int(below), int(average)

	parser = argparse.ArgumentParser()
	parser.add_argument("--average", type=int, default=65536)
	parser.add_argument("--class", type=klass, action="append", default=[], dest="classes")
	parser.add_argument("--codec", choices=["none", "zlib"], default="zlib")
	parser.add_argument("--meta", action="store_true")
	parser.add_argument("--posix", action="store_true")
	parser.add_argument("--no-stage", action="store_false", dest="stage")
	parser.add_argument("--list")
	parser.add_argument("tree", type=os.fsencode)
	parser.add_argument("store", nargs="?")
	options = parser.parse_args()
	options.classes.sort()
	sys.setrecursionlimit(20000)
	tree = Tree(options)
	root, meta = tree.directory(options.tree, b"")
	if options.store:
		write(options, tree, root, meta)
	if options.list:
		with open(options.list, "wb") as f:
			for path, kind, height, oid, size, _ in tree.entries:
				f.write(b"%d %d %s %d %s\0" % (kind, height, oid.hex().encode(), size, path.replace(b"\0", b"/")))
	print(root[0], root[1].hex(), *root[2:])


if __name__ == "__main__":
	main()
