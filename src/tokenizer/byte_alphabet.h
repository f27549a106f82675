/* GPT-2's byte alphabet: byte-level BPE writes each byte of a token as one visible character. */
#ifndef TG_BYTE_ALPHABET_H
#define TG_BYTE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

/* The byte that a character means, or -1. */
int tgi_byte_of_char(uint32_t code);

/* Writes the character of a byte as UTF-8, 1 or 2 bytes; returns how many. */
size_t tgi_char_of_byte(uint8_t byte, char *to);

#endif
