#pragma once
#include <archive.h>
#include <archive_entry.h>

// The file type macros carry a cast, which Swift doesn't import.
static const unsigned int carchive_type_regular = AE_IFREG;
static const unsigned int carchive_type_directory = AE_IFDIR;
static const unsigned int carchive_type_symlink = AE_IFLNK;
